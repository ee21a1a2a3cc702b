"""Which side may be upgraded first, and whom an incompatible change hits."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from roas_contracts.subjects import Subject

_DAY_MS: Final = 86_400_000


class First(StrEnum):
    """Who may be upgraded to a new version before the others."""

    EITHER = "either"
    CONSUMERS = "consumers"
    PRODUCERS = "producers"
    NEITHER = "neither"

    @property
    def in_words(self) -> str:
        """For a person."""
        return _ORDERS[self]


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a new version reaches the services."""

    topic: str
    version: int
    first: First

    @property
    def sentence(self) -> str:
        """For a person."""
        return f"{self.topic} v{self.version}: {_ORDERS[self.first]}"


_ORDERS: Final = {
    First.EITHER: "producers or consumers may roll out first",
    First.CONSUMERS: "consumers have to roll out first, then producers",
    First.PRODUCERS: "producers have to roll out first, then consumers, and consumers can't read "
    "what older producers wrote",
    First.NEITHER: "neither side can roll out first",
}


def first(*, new_reads_old: bool, old_reads_new: bool) -> First:
    """Who may go first."""
    if new_reads_old:
        return First.EITHER if old_reads_new else First.CONSUMERS
    return First.PRODUCERS if old_reads_new else First.NEITHER


def affected(subject: Subject, direction: str, new: int, old: int, order: First) -> str:
    """Whom it hits that one version can't read the other.

    Args:
        subject: the contract.
        direction: BACKWARD (the new one can't read the old), or FORWARD.
        new: number of the new version.
        old: number of the older one.
        order: who may roll out first.
    """
    consumers, producers = ", ".join(subject.file.consumers), ", ".join(subject.file.producers)
    if direction == "BACKWARD":
        hit = (
            f"consumers ({consumers}) on v{new} could not read v{old}: what is in the topic "
            f"({_kept(subject)}) and what producers ({producers}) on v{old} still write"
        )
    else:
        hit = (
            f"consumers ({consumers}) on v{old} could not read what producers ({producers}) on "
            f"v{new} write"
        )
    return f"{hit}. As it is: {_ORDERS[order]}"


def _kept(subject: Subject) -> str:
    retention = subject.file.topic.retention_ms
    if retention < 0 or "compact" in subject.file.topic.cleanup_policy:
        return "kept for ever"
    return f"kept for {retention / _DAY_MS:g} days"
