"""A schema as a tree whose parts know where in the file they are.

It is made of valid schemas only: what is not valid Avro has been refused before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from roas_contracts.avro_schema import PRIMITIVES


@dataclass(slots=True, eq=False)
class Node:
    """A type. The same definition is the same object wherever its name is used."""

    kind: str
    """Name of a primitive type, or record, enum, fixed, array, map, union."""
    pointer: str
    """JSON pointer into the schema: "/fields/3/type"."""
    path: str
    """For people: the field that holds it, "headers.name"; a record's own name at the top."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    """Full name of a record, enum or fixed."""
    fields: list["Field"] = field(default_factory=list)
    parts: list["Node"] = field(default_factory=list)
    """Branches of a union; the one item type of an array or map."""

    @property
    def logical_type(self) -> str | None:
        """What the schema says beside the type, whether Avro knows it or not."""
        found = self.attributes.get("logicalType")
        return str(found) if found is not None else None

    @property
    def branches(self) -> list["Node"]:
        """The types that a value may have, null left out."""
        return [n for n in (self.parts if self.kind == "union" else [self]) if n.kind != "null"]

    @property
    def nullable(self) -> bool:
        """Whether a value may be null."""
        return self.kind == "union" and any(part.kind == "null" for part in self.parts)

    def __str__(self) -> str:
        if self.kind == "union":
            return "union of " + " and ".join(map(str, self.parts))
        if self.kind in ("array", "map"):
            return f"{self.kind} of {self.parts[0]}"
        shown = f"{self.kind} {self.name}" if self.name else self.kind
        return f"{shown} ({self.logical_type})" if self.logical_type else shown


@dataclass(slots=True, eq=False)
class Field:
    """A field of a record."""

    name: str
    pointer: str
    path: str
    attributes: Mapping[str, Any]
    node: Node

    @property
    def doc(self) -> str:
        """What the schema says about it."""
        return str(self.attributes.get("doc") or "")

    @property
    def aliases(self) -> list[str]:
        """Its other names to readers."""
        return list(self.attributes.get("aliases", ()))


def tree_of(schema: Any) -> Node:
    """The tree of a schema (decoded JSON)."""
    return _Builder().build(schema, "", "", "")


def definitions(node: Node) -> Iterator[Node]:
    """Every type of a tree once, outermost first."""
    seen: set[int] = set()
    todo = [node]
    while todo:
        current = todo.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo += [each.node for each in current.fields] + current.parts


def all_fields(node: Node) -> Iterator[Field]:
    """Every field of every record of a tree, once."""
    for each in definitions(node):
        yield from each.fields


class _Builder:
    def __init__(self) -> None:
        self._named: dict[str, Node] = {}

    def build(self, schema: Any, pointer: str, path: str, namespace: str) -> Node:
        if isinstance(schema, list):
            parts = [
                self.build(branch, f"{pointer}/{index}", path, namespace)
                for index, branch in enumerate(schema)
            ]
            return Node("union", pointer, path, parts=parts)
        if isinstance(schema, str):
            if schema in PRIMITIVES:
                return Node(schema, pointer, path)
            return self._known(schema, namespace)
        kind = schema["type"]
        if not isinstance(kind, str):
            return self.build(kind, f"{pointer}/type", path, namespace)
        if kind in ("array", "map"):
            inner = "items" if kind == "array" else "values"
            part = self.build(schema[inner], f"{pointer}/{inner}", path, namespace)
            return Node(kind, pointer, path, schema, parts=[part])
        if kind in ("record", "error", "enum", "fixed"):
            return self._define(
                "record" if kind == "error" else kind, schema, pointer, path, namespace
            )
        if kind in PRIMITIVES:
            return Node(kind, pointer, path, schema)
        return self._known(kind, namespace)

    def _known(self, name: str, namespace: str) -> Node:
        """What a name stands for: in its namespace, else without one."""
        return self._named.get(_full_name(name, namespace)) or self._named[name]

    def _define(
        self, kind: str, schema: Mapping[str, Any], pointer: str, path: str, namespace: str
    ) -> Node:
        name = _full_name(schema["name"], schema.get("namespace", namespace) or "")
        top = not pointer
        shown = name.rpartition(".")[2] if top else path
        node = Node(kind, pointer, shown, schema, name)
        self._named[name] = node
        inner = name.rpartition(".")[0]
        for index, each in enumerate(schema.get("fields", ())):
            here = f"{pointer}/fields/{index}"
            label = each["name"] if top else f"{path}.{each['name']}"
            node.fields.append(
                Field(
                    each["name"],
                    here,
                    label,
                    each,
                    self.build(each["type"], f"{here}/type", label, inner),
                )
            )
        return node


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def locate(tree: Node, pointer: str) -> tuple[str, str]:
    """Where a pointer leads, also through names of types that are defined elsewhere.

    Returns:
        The path for people, and the pointer of what stands there in the file: the deepest of
        which the tree knows.
    """
    here: Node | Field = tree
    path = tree.path
    steps = pointer.split("/")[1:]
    while steps:
        step = steps.pop(0)
        below: Node | Field | None = None
        if isinstance(here, Field):
            below = here.node if step == "type" else None
        elif step == "fields" and steps and steps[0].isdigit():
            index = int(steps.pop(0))
            below = here.fields[index] if index < len(here.fields) else None
        elif step in ("items", "values") and here.parts:
            below = here.parts[0]
        elif step.isdigit() and int(step) < len(here.parts):
            below = here.parts[int(step)]
        if below is None:
            break
        here = below
        path = here.path if isinstance(here, Field) else path
    return path, here.pointer
