"""Lints of a change: two versions that Avro may well call compatible."""

from collections.abc import Iterator
from typing import Final

from roas_contracts.compatibility.rule import PROMOTIONS
from roas_contracts.gate.lints import Objection
from roas_contracts.gate.schema_tree import Field, Node

_INTEGERS: Final = frozenset(("int", "long"))
_FLOATS: Final = frozenset(("float", "double"))


def objections(new: Node, old: Node) -> Iterator[Objection]:
    """What the lints object to in going from one version to another."""
    yield from _Comparison().types(new, old, new.pointer, new.path)


class _Comparison:
    """One walk over both trees; each pair of named types once, for they may be recursive."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def types(self, new: Node, old: Node, pointer: str, at: str) -> Iterator[Objection]:
        """Compare two types; `pointer` and `at` are where the new schema uses its one."""
        if new.kind == "union" or old.kind == "union":
            yield from self._unions(new, old, pointer, at)
        elif new.kind in ("array", "map") and new.kind == old.kind:
            yield from self.types(new.parts[0], old.parts[0], pointer, at)
        else:
            yield from _values(new, old, pointer, at)
            if new.name and old.name and new.kind == old.kind:
                yield from self._named(new, old, pointer, at)

    def _unions(self, new: Node, old: Node, pointer: str, at: str) -> Iterator[Objection]:
        """Compare each old branch with the new one that its values are read by."""
        for branch in old.branches:
            match = _branch_for(branch, new.branches)
            if match is not None:
                yield from self.types(match, branch, pointer, at)

    def _named(self, new: Node, old: Node, pointer: str, at: str) -> Iterator[Objection]:
        if (id(new), id(old)) in self._seen:
            return
        self._seen.add((id(new), id(old)))
        yield from _names(new, old, pointer, at)
        if new.kind == "enum":
            yield from _enums(new, old, pointer, at)
        if new.kind == "record":
            yield from self._records(new, old)

    def _records(self, new: Node, old: Node) -> Iterator[Objection]:
        for before in old.fields:
            same = next((f for f in new.fields if f.name == before.name), None)
            renamed = next((f for f in new.fields if before.name in f.aliases), None)
            if same is not None:
                yield from _defaults(same, before)
                yield from self.types(same.node, before.node, f"{same.pointer}/type", same.path)
            elif renamed is not None:
                yield Objection(
                    "field-renamed",
                    renamed.pointer,
                    renamed.path,
                    f"{before.name} became {renamed.name}, with {before.name} as its alias",
                )
                yield from self.types(
                    renamed.node, before.node, f"{renamed.pointer}/type", renamed.path
                )
            else:
                yield Objection(
                    "field-removed", new.pointer, before.path, f"the field {before.path} is gone"
                )


def _branch_for(old: Node, branches: list[Node]) -> Node | None:
    same = [n for n in branches if n.kind == old.kind]
    by_name = [n for n in same if n.name == old.name]
    by_logical_type = [n for n in by_name if n.logical_type == old.logical_type]
    promoted = [n for n in branches if (old.kind, n.kind) in PROMOTIONS]
    only = branches if len(branches) == 1 else []
    for found in (by_logical_type, by_name, same, promoted, only):
        if found:
            return found[0]
    return None


def _values(new: Node, old: Node, pointer: str, at: str) -> Iterator[Objection]:
    """The bytes may be the same: what do they mean?"""
    if {new.kind, old.kind} == {"bytes", "string"}:
        yield Objection("bytes-string-changed", pointer, at, f"{old.kind} became {new.kind}")
    widened = old.kind in _INTEGERS and new.kind in _FLOATS
    if widened or (new.kind in _INTEGERS and old.kind in _FLOATS):
        yield Objection("precision-lost", pointer, at, f"{old.kind} became {new.kind}")
    before, now = old.logical_type, new.logical_type
    if before == now == "decimal":
        was, is_now = _digits(old), _digits(new)
        if was != is_now:
            yield Objection("decimal-changed", pointer, at, f"{was} became {is_now}")
    elif before and now and before != now:
        yield Objection("logical-type-changed", pointer, at, f"{before} became {now}")
    elif before and not now:
        yield Objection("logical-type-dropped", pointer, at, f"{before} became a bare {new.kind}")
    elif now and not before:
        yield Objection("logical-type-added", pointer, at, f"a bare {old.kind} became {now}")


def _digits(node: Node) -> str:
    return f"decimal({node.attributes.get('precision')}, {node.attributes.get('scale', 0)})"


def _names(new: Node, old: Node, pointer: str, at: str) -> Iterator[Objection]:
    assert new.name is not None, "only named types come here"
    assert old.name is not None, "only named types come here"
    if new.name == old.name:
        return
    short_new, short_old = new.name.rpartition(".")[2], old.name.rpartition(".")[2]
    lint = "namespace-changed" if short_new == short_old else "type-renamed"
    yield Objection(lint, pointer, at, f"{old.name} became {new.name}")


def _enums(new: Node, old: Node, pointer: str, at: str) -> Iterator[Objection]:
    before, now = old.attributes.get("default"), new.attributes.get("default")
    if before is not None and before != now:
        said = "was removed" if now is None else f"became {now}"
        yield Objection("enum-default-changed", pointer, at, f"the default {before} {said}")
    gone = [s for s in old.attributes["symbols"] if s not in new.attributes["symbols"]]
    if gone:
        yield Objection("enum-symbol-removed", pointer, at, f"{', '.join(gone)} is gone")


def _defaults(new: Field, old: Field) -> Iterator[Objection]:
    # A default that is added or removed is the compatibility rule's business.
    if not ("default" in old.attributes and "default" in new.attributes):
        return
    before, now = old.attributes["default"], new.attributes["default"]
    if before != now:
        yield Objection(
            "default-changed", f"{new.pointer}/default", new.path, f"{before!r} became {now!r}"
        )
