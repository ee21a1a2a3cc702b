"""When a change is refused, and in which words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from roas_contracts.errors import RoasError
from roas_contracts.events import DeadLetterAction, OriginType
from roas_dlq_handler.library import Kind
from roas_dlq_handler.selection import State

LOCAL: Final = "local"
"""The one environment whose changes need no confirmation."""

ALLOWED_STATES: Final = {
    DeadLetterAction.REPLAY: (State.OPEN, State.QUARANTINED),
    DeadLetterAction.FIX: (State.OPEN, State.QUARANTINED),
    DeadLetterAction.DISCARD: (State.OPEN, State.QUARANTINED),
    DeadLetterAction.RESTORE: (State.DISCARDED,),
}
_SENDS: Final = (DeadLetterAction.REPLAY, DeadLetterAction.FIX)


class RefusedError(RoasError):
    """It could be done, but would do harm, or is not what was meant. Exit code 1."""


def check_environment(environment: str, confirmed: str | None) -> None:
    """Raises RefusedError unless a deployment that is not local is named by whoever changes it."""
    if environment != LOCAL and confirmed != environment:
        raise RefusedError(
            f"this changes the environment {environment!r}: say --confirm {environment}"
        )


def check_states(action: DeadLetterAction, states: Sequence[State]) -> None:
    """Raises RefusedError for states that the action is not for."""
    for state in states:
        if state in ALLOWED_STATES[action]:
            continue
        if action is DeadLetterAction.RESTORE:
            raise RefusedError("only what was discarded can be restored")
        if state is State.DISCARDED:
            raise RefusedError(
                f"discarded dead letters are put aside: `restore` them before you "
                f"{action.lower()} them"
            )
        raise RefusedError(
            f"what is {state} was sent already and is not sent twice: if it failed again, that "
            "failure is a dead letter of its own"
        )


def check_origin(
    action: DeadLetterAction, kinds: Sequence[Kind], known_topics: Collection[str]
) -> str:
    """The one topic that a selection is of; `file` for file rows.

    Raises:
        RefusedError: there is nothing, file rows are to be sent, the origin is not known, or
            there are several and nobody chose.
    """
    if not kinds:
        raise RefusedError("no dead letter matches: nothing to do")
    origins = {kind.origin_type for kind in kinds}
    if action in _SENDS and origins - {OriginType.KAFKA}:
        if OriginType.KAFKA in origins:
            raise RefusedError(
                "the selection mixes records of Kafka with others (rows of files): add "
                "--origin KAFKA"
            )
        if OriginType.FILE in origins:
            raise RefusedError(
                "rows of files can't be sent from here: correct them in the errata file that the "
                "producer wrote, and replay that file with `./roas producer replay`"
            )
        raise RefusedError("the origin of these dead letters is not known to this version")
    topics = {kind.topic or "file" for kind in kinds}
    if len(topics) > 1:
        raise RefusedError(
            f"the selection is of several topics ({', '.join(sorted(topics))}): choose one with "
            "--topic, or rows of files with --origin FILE"
        )
    (topic,) = topics
    if action in _SENDS and topic not in known_topics:
        raise RefusedError(f"there is no contract for the topic {topic!r}: nobody reads it here")
    return topic


def check_groups(kinds: Sequence[Kind], for_group: str | None, failed_in_other_groups: int) -> None:
    """Raises RefusedError where a replay would be read twice, or by who has not missed it."""
    groups = sorted({kind.consumer_group for kind in kinds})
    if for_group is not None and groups != [for_group]:
        raise RefusedError(
            f"these failed in {', '.join(groups)}: for {for_group} they would be records that it "
            f"has not missed; add --group {for_group}"
        )
    if for_group is None and (len(groups) > 1 or failed_in_other_groups):
        raise RefusedError(
            "some of these records failed in more than one consumer group: replayed for "
            "everybody they would be read twice; choose --group G --for-group G, one by one"
        )
