"""Small changes of a schema, such as people make; some break it."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any, Final, TypeAlias

from roas_fuzz.generator import (
    FIELD_NAMES,
    NAMESPACES,
    PRIMITIVES,
    SYMBOLS,
    TYPE_NAMES,
    SchemaMaker,
)

Json: TypeAlias = Any
Slot: TypeAlias = tuple[Any, Any]
"""A place that holds a type: its list or object, and the index or key there."""
Mutation: TypeAlias = Callable[["Mutator"], None]

_RELATED: Final = {
    "int": ("long", "float", "double"),
    "long": ("int", "float", "double"),
    "float": ("double", "long"),
    "double": ("float", "long"),
    "string": ("bytes",),
    "bytes": ("string",),
}
_JUNK: Final[tuple[Json, ...]] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**70,
    1.5,
    "",
    "1",
    "a-b",
    "x.",
    ".A",
    "P",
    [],
    {},
    ["null"],
)


def mutated(schema: Json, random: Random) -> Json:
    """A copy of a well-formed schema with one to three changes; the last may be a broken one."""
    mutator = Mutator(copy.deepcopy(schema), random)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        random.choice(_CHANGES)(mutator)
    if random.random() < _BROKEN_SHARE:
        random.choice(_BREAKS)(mutator)
    return mutator.root[0]


class Mutator:
    """Changes one schema in place."""

    def __init__(self, schema: Json, random: Random) -> None:
        self.root = [schema]
        self.random = random
        self.maker = SchemaMaker(random)

    def slots(self) -> list[Slot]:
        """Every place that holds a type."""
        found: list[Slot] = []
        waiting: list[Slot] = [(self.root, 0)]
        while waiting:
            holder, key = waiting.pop()
            found.append((holder, key))
            node = holder[key]
            if isinstance(node, list):
                waiting += [(node, index) for index in range(len(node))]
            elif isinstance(node, dict):
                waiting += [(node, inner) for inner in ("items", "values") if inner in node]
                waiting += [(field, "type") for field in _fields(node) if "type" in field]
        return found

    def nodes(self, *kinds: str) -> list[dict[str, Any]]:
        """Every type that is an object, of some kinds or of all."""
        found = [holder[key] for holder, key in self.slots()]
        return [
            node
            for node in found
            if isinstance(node, dict) and (not kinds or node.get("type") in kinds)
        ]

    def pick(self, options: list[Any]) -> Any:
        """One of them; None if there is none."""
        return self.random.choice(options) if options else None


def _fields(node: dict[str, Any]) -> list[dict[str, Any]]:
    fields = node.get("fields")
    return [f for f in fields if isinstance(f, dict)] if isinstance(fields, list) else []


def _any_field(m: Mutator) -> dict[str, Any] | None:
    fields = [field for node in m.nodes("record", "error") for field in _fields(node)]
    return m.random.choice(fields) if fields else None


def _change_primitive(m: Mutator) -> None:
    slots = [(h, k) for h, k in m.slots() if isinstance(h[k], str) and h[k] in PRIMITIVES]
    if slots:
        holder, key = m.random.choice(slots)
        related = _RELATED.get(holder[key], PRIMITIVES)
        holder[key] = m.random.choice(related if m.random.random() < 0.7 else PRIMITIVES)


def _replace_type(m: Mutator) -> None:
    holder, key = m.random.choice(m.slots())
    holder[key] = m.maker.field_type(3, "")


def _wrap_or_unwrap(m: Mutator) -> None:
    holder, key = m.random.choice(m.slots())
    node = holder[key]
    if isinstance(node, list) and node:
        holder[key] = m.random.choice(node)
    elif m.random.random() < 0.7:
        holder[key] = m.random.choice((["null", node], [node, "null"], [node]))
    else:
        holder[key] = m.random.choice(
            ({"type": "array", "items": node}, {"type": "map", "values": node})
        )


def _change_union(m: Mutator) -> None:
    union = m.pick([h[k] for h, k in m.slots() if isinstance(h[k], list)])
    if union is None:
        return
    action = m.random.randrange(3)
    if action == 0:
        union.append(m.maker.type(3, ""))
    elif action == 1 and union:
        union.pop(m.random.randrange(len(union)))
    else:
        m.random.shuffle(union)


def _swap_array_and_map(m: Mutator) -> None:
    node = m.pick(m.nodes("array", "map"))
    if node is not None and node["type"] == "array" and "items" in node:
        node["type"], node["values"] = "map", node.pop("items")
    elif node is not None and "values" in node:
        node["type"], node["items"] = "array", node.pop("values")


def _add_field(m: Mutator) -> None:
    node = m.pick(m.nodes("record", "error"))
    if node is None or not isinstance(node.get("fields"), list):
        return
    taken = {field.get("name") for field in _fields(node)}
    free = [name for name in FIELD_NAMES if name not in taken] or ["z"]
    field = m.maker.field(m.random.choice(free), 3, "")
    node["fields"].insert(m.random.randint(0, len(node["fields"])), field)


def _drop_field(m: Mutator) -> None:
    node = m.pick([node for node in m.nodes("record", "error") if _fields(node)])
    if node is not None:
        node["fields"].pop(m.random.randrange(len(node["fields"])))


def _shuffle_fields(m: Mutator) -> None:
    # A definition may come to stand behind its first use.
    node = m.pick([node for node in m.nodes("record", "error") if _fields(node)])
    if node is not None:
        m.random.shuffle(node["fields"])


def _rename_field(m: Mutator) -> None:
    field = _any_field(m)
    if field is not None:
        if m.random.random() < 0.6:
            field["aliases"] = [field.get("name")]
        field["name"] = m.random.choice((*FIELD_NAMES, "f", "g", "h"))


def _change_field_aliases(m: Mutator) -> None:
    field = _any_field(m)
    if field is not None:
        field["aliases"] = m.random.sample(FIELD_NAMES, m.random.randint(0, 2))


def _change_default(m: Mutator) -> None:
    field = _any_field(m)
    if field is None:
        return
    if "default" in field and m.random.random() < 0.5:
        del field["default"]
    elif m.random.random() < 0.8:
        field["default"] = m.maker.value(field.get("type"))
    else:
        field["default"] = m.random.choice(_JUNK)


def _change_symbols(m: Mutator) -> None:
    node = m.pick(m.nodes("enum"))
    if node is not None:
        node["symbols"] = m.random.sample(SYMBOLS, m.random.randint(1, 4))
        if node.get("default") not in node["symbols"] and m.random.random() < 0.9:
            node.pop("default", None)


def _change_enum_default(m: Mutator) -> None:
    node = m.pick(m.nodes("enum"))
    if node is not None and "default" in node:
        del node["default"]
    elif node is not None:
        node["default"] = m.random.choice(node.get("symbols") or SYMBOLS)


def _change_size(m: Mutator) -> None:
    node = m.pick(m.nodes("fixed"))
    if node is not None:
        node["size"] = m.random.choice((0, 1, 4, 12, 16))


def _rename_type(m: Mutator) -> None:
    node = m.pick(m.nodes("record", "error", "enum", "fixed"))
    if node is None or not isinstance(node.get("name"), str):
        return
    old, new = node["name"], m.random.choice(TYPE_NAMES)
    if m.random.random() < 0.5:
        node["aliases"] = [old, f"n.{old}"][: m.random.randint(1, 2)]
    node["name"] = new
    if m.random.random() < 0.8:  # Uses of it follow, for the most part.
        for holder, key in m.slots():
            if holder[key] == old:
                holder[key] = new


def _change_type_aliases(m: Mutator) -> None:
    node = m.pick(m.nodes("record", "error", "enum", "fixed"))
    if node is not None:
        node["aliases"] = [m.maker.alias() for _ in range(m.random.randint(0, 2))]


def _change_namespace(m: Mutator) -> None:
    node = m.pick(m.nodes("record", "error", "enum", "fixed"))
    if node is not None:
        node["namespace"] = m.random.choice(NAMESPACES)


def _refer_instead(m: Mutator) -> None:
    names = [node.get("name") for node in m.nodes("record", "error", "enum", "fixed")]
    if names:
        holder, key = m.random.choice(m.slots())
        name = m.random.choice(names)
        holder[key] = name if m.random.random() < 0.95 else {"type": name}


def _define_again(m: Mutator) -> None:
    node = m.pick(m.nodes("record", "error", "enum", "fixed"))
    if node is not None:
        holder, key = m.random.choice(m.slots())
        holder[key] = copy.deepcopy(node)
        if m.random.random() < 0.3 and isinstance(holder[key], dict):
            holder[key]["doc"] = "again"


def _change_attribute(m: Mutator) -> None:
    node = m.pick([*m.nodes(), *filter(None, [_any_field(m)])])
    if node is not None:
        if "logicalType" in node and m.random.random() < 0.5:
            del node["logicalType"]
        else:
            node[m.random.choice(("logicalType", "precision", "x"))] = m.random.choice(_JUNK)


def _make_error(m: Mutator) -> None:
    node = m.pick(m.nodes("record", "error"))
    if node is not None:
        node["type"] = "error" if node["type"] == "record" else "record"


def _break_something(m: Mutator) -> None:
    node = m.pick([*m.nodes(), *filter(None, [_any_field(m)])])
    if not node:
        return
    key = m.random.choice(list(node))
    if m.random.random() < 0.3:
        del node[key]
    else:
        node[key] = m.random.choice(_JUNK)


def _put_junk(m: Mutator) -> None:
    holder, key = m.random.choice(m.slots())
    holder[key] = m.random.choice(_JUNK)


_CHANGES: Final[list[Mutation]] = [
    *[_change_primitive] * 4,
    *[_replace_type] * 2,
    *[_wrap_or_unwrap] * 3,
    *[_change_union] * 3,
    _swap_array_and_map,
    *[_add_field] * 5,
    *[_drop_field] * 3,
    _shuffle_fields,
    *[_rename_field] * 2,
    _change_field_aliases,
    *[_change_default] * 3,
    *[_change_symbols] * 5,
    _change_enum_default,
    *[_change_size] * 5,
    *[_rename_type] * 3,
    _change_type_aliases,
    _change_namespace,
    _refer_instead,
    _define_again,
    _change_attribute,
    _make_error,
]
_BREAKS: Final[list[Mutation]] = [_break_something, _put_junk]
_BROKEN_SHARE: Final = 0.1
