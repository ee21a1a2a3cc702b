"""What to do in place of an incompatible change, by Avro's name for the incompatibility."""

from collections.abc import Mapping
from typing import Final

_NEW_FIELD = "leave the field as it is and add one under another name, with a default"

_INSTEAD: Final[Mapping[tuple[str, str], str]] = {
    ("READER_FIELD_MISSING_DEFAULT_VALUE", "BACKWARD"): (
        "give the new field a default (most often null, or an enum's UNKNOWN): readers put it "
        "where older records have nothing"
    ),
    ("READER_FIELD_MISSING_DEFAULT_VALUE", "FORWARD"): (
        "keep the field: the older version has no default for it, so it must be written for ever"
    ),
    ("MISSING_ENUM_SYMBOLS", "BACKWARD"): (
        "keep the symbols: older records carry them; not writing them any more is enough"
    ),
    ("MISSING_ENUM_SYMBOLS", "FORWARD"): (
        "the enum of the older version has no default, so it can't grow: add a field with an "
        "enum that has one (UNKNOWN)"
    ),
    ("TYPE_MISMATCH", "BACKWARD"): _NEW_FIELD,
    ("TYPE_MISMATCH", "FORWARD"): _NEW_FIELD,
    ("FIXED_SIZE_MISMATCH", "BACKWARD"): _NEW_FIELD,
    ("FIXED_SIZE_MISMATCH", "FORWARD"): _NEW_FIELD,
    ("MISSING_UNION_BRANCH", "BACKWARD"): (
        "keep every type that the older version allows, null too: older records may have it"
    ),
    ("MISSING_UNION_BRANCH", "FORWARD"): (
        "readers of the older version know no such type here: leave the field as it is and add "
        "one under another name, with a default"
    ),
    ("NAME_MISMATCH", "BACKWARD"): "keep the type's name: it is what readers recognise it by",
    ("NAME_MISMATCH", "FORWARD"): "keep the type's name: it is what readers recognise it by",
}


def instead_of(kind: str, direction: str) -> str:
    """What to do; a kind that is not known gets the advice that always works."""
    return _INSTEAD.get((kind, direction), "add a field with a default and leave the others alone")
