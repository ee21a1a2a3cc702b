"""Schema Registry's compatibility modes: which earlier versions count, and who must read whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from roas_contracts.compatibility.rule import Incompatibility, incompatibilities
from roas_contracts.compatibility.schema import AvroSchema
from roas_contracts.errors import InputError

CompatibilityMode = Literal[
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
    "NONE",
]

COMPATIBILITY_MODES: Final[tuple[CompatibilityMode, ...]] = get_args(CompatibilityMode)

Direction = Literal["BACKWARD", "FORWARD"]
"""BACKWARD: the new schema reads what an earlier one wrote. FORWARD: the other way round."""


@dataclass(frozen=True, slots=True)
class ModeIncompatibility:
    """One reason why a new version breaks its mode."""

    direction: Direction
    against_index: int
    """Which of the previous versions, from 0 for the oldest."""
    incompatibility: Incompatibility


def check_mode(
    mode: str, new: AvroSchema, previous: Sequence[AvroSchema]
) -> list[ModeIncompatibility]:
    """Every reason why `new` may not follow `previous` (oldest first) under a mode; none if it may.

    Plain modes look at the newest of the previous versions, transitive ones at all of them. Without
    previous versions, and under NONE, everything is compatible.

    Raises:
        InputError: there is no such mode.
    """
    if mode not in COMPATIBILITY_MODES:
        raise InputError(
            f"there is no compatibility mode {mode!r}: there are {', '.join(COMPATIBILITY_MODES)}"
        )
    base, _, transitive = mode.partition("_")
    first = 0 if transitive else max(len(previous) - 1, 0)
    found: list[ModeIncompatibility] = []
    for index in range(first, len(previous)):
        earlier = previous[index]
        if base in ("BACKWARD", "FULL"):
            found += [
                ModeIncompatibility("BACKWARD", index, each)
                for each in incompatibilities(reader=new, writer=earlier)
            ]
        if base in ("FORWARD", "FULL"):
            found += [
                ModeIncompatibility("FORWARD", index, each)
                for each in incompatibilities(reader=earlier, writer=new)
            ]
    return found
