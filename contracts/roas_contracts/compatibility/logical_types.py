"""Logical types: which attribute counts, and which does not fit its type and is ignored."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from roas_contracts.compatibility.json_text import is_integer

_NEVER_BESIDE: Final = ("avro.java.string", "java-class", "java-key-class", "java-element-class")

_TYPES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("int",),
    "time-millis": ("int",),
    "time-micros": ("long",),
    "timestamp-millis": ("long",),
    "timestamp-micros": ("long",),
    "timestamp-nanos": ("long",),
    "local-timestamp-millis": ("long",),
    "local-timestamp-micros": ("long",),
    "local-timestamp-nanos": ("long",),
    "big-decimal": ("bytes",),
    "uuid": ("string", "fixed"),
    "duration": ("fixed",),
    "decimal": ("bytes", "fixed"),
}


def logical_type(kind: str, properties: Mapping[str, Any], size: int | None = None) -> str | None:
    """The logical type of a schema of type `kind`; None if it has none, or one that does not fit.

    Args:
        size: bytes of a fixed.
    """
    name = properties.get("logicalType")
    if not isinstance(name, str) or kind not in _TYPES_OF.get(name, ()):
        return None
    if any(isinstance(properties.get(key), str) for key in _NEVER_BESIDE):
        return None
    fits = _FITS.get(name)
    return name if fits is None or fits(properties, size) else None


def _uuid_fits(properties: Mapping[str, Any], size: int | None) -> bool:
    return size in (None, 16)


def _duration_fits(properties: Mapping[str, Any], size: int | None) -> bool:
    return size == 12


def _decimal_fits(properties: Mapping[str, Any], size: int | None) -> bool:
    precision, scale = properties.get("precision"), properties.get("scale", 0)
    if not is_integer(precision) or not is_integer(scale):
        return False
    largest = 2**31 - 1 if size is None else math.floor(math.log10(2) * (8 * size - 1))
    return bool(0 < precision <= largest and 0 <= scale <= precision)


_FITS: Final[Mapping[str, Callable[[Mapping[str, Any], int | None], bool]]] = {
    "uuid": _uuid_fits,
    "duration": _duration_fits,
    "decimal": _decimal_fits,
}
