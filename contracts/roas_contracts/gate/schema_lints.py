"""Lints of one schema."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from roas_contracts.gate.lints import Objection
from roas_contracts.gate.schema_tree import Field, Node, all_fields, definitions

UNKNOWN: Final = "UNKNOWN"

_COMMON = frozenset(("type", "doc", "logicalType", "precision", "scale"))
_NAMED = _COMMON | {"name", "namespace", "aliases"}
_ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    "record": _NAMED | {"fields"},
    "enum": _NAMED | {"symbols", "default"},
    "fixed": _NAMED | {"size"},
    "array": _COMMON | {"items"},
    "map": _COMMON | {"values"},
}
_FIELD_ATTRIBUTES: Final = frozenset(("name", "type", "doc", "default", "order", "aliases"))

_BASE_OF_LOGICAL_TYPE: Final[Mapping[str, frozenset[str]]] = {
    "date": frozenset(("int",)),
    "decimal": frozenset(("bytes", "fixed")),
    "duration": frozenset(("fixed",)),
    "local-timestamp-micros": frozenset(("long",)),
    "local-timestamp-millis": frozenset(("long",)),
    "time-micros": frozenset(("long",)),
    "time-millis": frozenset(("int",)),
    "timestamp-micros": frozenset(("long",)),
    "timestamp-millis": frozenset(("long",)),
    "uuid": frozenset(("string",)),
}
_TIME_NAME: Final = re.compile(
    r"(.*_)?(at|time|timestamp|date)|window_(start|end)|.*_(until|through)"
)
_MONEY_NAME: Final = re.compile(
    r"(.*_)?(micros|cost|revenue|price|amount|spend|budget|bid|fee|cpm|cpc|cpa)"
)
_ID_NAME: Final = re.compile(r"(.*_)?id")


def objections(tree: Node) -> Iterator[Objection]:
    """Everything that the lints of one schema object to."""
    for node in definitions(tree):
        yield from _unknown_attributes(node)
        yield from _ignored_logical_type(node)
        yield from _no_doc(node)
        yield from _not_writable(node)
        if node.kind == "enum":
            yield from _enum_without_unknown(node)
        if node.kind == "record":
            yield from _money_without_currency(node)
    for field in all_fields(tree):
        yield from _unknown_field_attributes(field)
        yield from _undocumented_field(field)
        yield from _nullable_without_null_default(field)
        yield from _time(field)
        yield from _money(field)
        yield from _id(field)


def _unknown_attributes(node: Node) -> Iterator[Objection]:
    known = _ATTRIBUTES.get(node.kind, _COMMON)
    for key in node.attributes.keys() - known:
        yield Objection(
            "unknown-attribute",
            f"{node.pointer}/{key}",
            node.path,
            f"{node.kind} has no attribute {key!r}: Avro knows {_listed(known)}",
        )


def _unknown_field_attributes(field: Field) -> Iterator[Objection]:
    for key in field.attributes.keys() - _FIELD_ATTRIBUTES:
        inside = " (it belongs inside the type's own object)" if key == "logicalType" else ""
        yield Objection(
            "unknown-attribute",
            f"{field.pointer}/{key}",
            field.path,
            f"a field has no attribute {key!r}{inside}: Avro knows {_listed(_FIELD_ATTRIBUTES)}",
        )


def _ignored_logical_type(node: Node) -> Iterator[Objection]:
    logical = node.logical_type
    if logical is None:
        return
    pointer = f"{node.pointer}/logicalType"
    bases = _BASE_OF_LOGICAL_TYPE.get(logical)
    if bases is None:
        yield Objection(
            "logical-type-ignored", pointer, node.path, f"Avro has no logical type {logical!r}"
        )
    elif node.kind not in bases:
        yield Objection(
            "logical-type-ignored",
            pointer,
            node.path,
            f"{logical} belongs on {' or '.join(sorted(bases))}, not on {node.kind}",
        )
    elif logical == "decimal" and not _is_decimal(node.attributes):
        yield Objection(
            "logical-type-ignored",
            pointer,
            node.path,
            "a decimal needs a precision above 0 and a scale from 0 to that precision",
        )


def _is_decimal(attributes: Mapping[str, Any]) -> bool:
    precision, scale = attributes.get("precision"), attributes.get("scale", 0)
    return isinstance(precision, int) and isinstance(scale, int) and 0 <= scale <= precision > 0


def _no_doc(node: Node) -> Iterator[Objection]:
    if not node.pointer and not node.attributes.get("doc"):
        yield Objection("no-doc", "", node.path, "the record type says nothing about itself")


def _undocumented_field(field: Field) -> Iterator[Objection]:
    if not field.doc.strip():
        yield Objection("no-doc", field.pointer, field.path, "the field has no doc")


def _not_writable(node: Node) -> Iterator[Objection]:
    if node.kind == "fixed":
        yield Objection("not-writable", node.pointer, node.path, "a fixed type")
    if node.kind == "union" and (len(node.parts) != 2 or not node.nullable):
        yield Objection("not-writable", node.pointer, node.path, f"a {node}")


def _enum_without_unknown(node: Node) -> Iterator[Objection]:
    symbols, default = node.attributes["symbols"], node.attributes.get("default")
    if UNKNOWN not in symbols or default != UNKNOWN:
        missing = "symbol" if UNKNOWN not in symbols else "default"
        yield Objection(
            "enum-without-unknown",
            node.pointer,
            node.path,
            f"the enum {node.name} has no {missing} {UNKNOWN}",
        )


def _money_without_currency(node: Node) -> Iterator[Objection]:
    money = [field.name for field in node.fields if field.name.endswith("_micros")]
    if money and all(field.name != "currency" for field in node.fields):
        yield Objection(
            "money-without-currency",
            node.pointer,
            node.path,
            f"{_listed(money)} without a field `currency`",
        )


def _nullable_without_null_default(field: Field) -> Iterator[Objection]:
    if not field.node.nullable:
        return
    if field.attributes.get("default", "none") is not None:
        said = "no default" if "default" not in field.attributes else "another default than null"
        yield Objection(
            "nullable-without-null-default", field.pointer, field.path, f"nullable with {said}"
        )


def _time(field: Field) -> Iterator[Objection]:
    for node in field.node.branches:
        logical = node.logical_type or ""
        if logical != "timestamp-millis" and ("timestamp" in logical or logical == "date"):
            yield Objection(
                "time-not-millis", node.pointer, field.path, f"a time as {logical or node.kind}"
            )
        elif not logical and _TIME_NAME.fullmatch(field.name) and node.kind in _NUMBERS:
            yield Objection(
                "time-without-logical-type",
                node.pointer,
                field.path,
                f"by its name a time, by its type a bare {node.kind}",
            )


_NUMBERS: Final = frozenset(("int", "long", "float", "double"))


def _money(field: Field) -> Iterator[Objection]:
    if not _MONEY_NAME.fullmatch(field.name):
        return
    for node in field.node.branches:
        as_micros = node.kind == "long" and node.logical_type is None
        if node.kind in (*_NUMBERS, "bytes", "fixed", "string") and not (
            as_micros and field.name.endswith("micros")
        ):
            yield Objection(
                "money-not-long-micros",
                node.pointer,
                field.path,
                f"by its name money, and not a long in micros but {node}",
            )


def _id(field: Field) -> Iterator[Objection]:
    if _ID_NAME.fullmatch(field.name):
        for node in field.node.branches:
            if node.kind != "string":
                yield Objection("id-not-string", node.pointer, field.path, f"an id as {node.kind}")


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
