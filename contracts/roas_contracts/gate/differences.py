"""What changed between two versions, field by field, for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from roas_contracts.gate.schema_tree import Field, Node, all_fields


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `how` is added, removed or changed."""

    how: str
    at: str
    what: str


def changes(old: Node, new: Node) -> Iterator[Change]:
    """In the order of the newer schema, removed fields last."""
    before = {field.path: field for field in all_fields(old)}
    after = {field.path: field for field in all_fields(new)}
    if old.name != new.name:
        yield Change("changed", str(new.name), f"the record was {old.name}")
    for path, field in after.items():
        if path not in before:
            yield Change("added", path, described(field))
        else:
            yield from _field(before[path], field)
    for path in before.keys() - after.keys():
        yield Change("removed", path, described(before[path]))


def described(field: Field) -> str:
    """A field's type and default in a few words."""
    default = f", default {field.attributes['default']!r}" if "default" in field.attributes else ""
    return f"{type_in_words(field.node)}{default}"


def type_in_words(node: Node) -> str:
    """ "string?" for a nullable string, "enum Source {A, B}", "long (timestamp-millis)"."""
    if node.nullable and len(node.parts) == 2:
        return f"{type_in_words(node.branches[0])}?"
    if node.kind in ("array", "map"):
        return f"{node.kind} of {type_in_words(node.parts[0])}"
    short = (node.name or "").rpartition(".")[2]
    if node.kind == "enum":
        return f"enum {short} {{{', '.join(node.attributes['symbols'])}}}"
    return f"{node.kind} {short}" if short else str(node)


def _field(old: Field, new: Field) -> Iterator[Change]:
    if described(old) != described(new):
        yield Change("changed", new.path, f"{described(old)} became {described(new)}")
    if old.doc != new.doc:
        yield Change("changed", new.path, f'doc: "{old.doc}" became "{new.doc}"')
    aliases: list[Any] = [each.attributes.get("aliases", []) for each in (old, new)]
    if aliases[0] != aliases[1]:
        yield Change("changed", new.path, f"aliases {aliases[0]} became {aliases[1]}")
