"""Random schemas as decoded JSON, valid for the most part, from small pools of names.

Small pools make names meet: two schemas that were made apart still share some.
"""

from random import Random
from typing import Any, Final

PRIMITIVES: Final = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
TYPE_NAMES: Final = ("A", "B", "C", "D", "E", "F", "G", "H")
FIELD_NAMES: Final = ("a", "b", "c", "d", "e")
SYMBOLS: Final = ("P", "Q", "R", "S", "T")
NAMESPACES: Final = ("", "n", "n.m", "o")

_LOGICAL: Final = (
    ("long", {"logicalType": "timestamp-millis"}),
    ("long", {"logicalType": "timestamp-micros"}),
    ("int", {"logicalType": "date"}),
    ("int", {"logicalType": "timestamp-millis"}),
    ("string", {"logicalType": "uuid"}),
    ("bytes", {"logicalType": "decimal", "precision": 6, "scale": 2}),
    ("bytes", {"logicalType": "decimal", "precision": 2, "scale": 6}),
    ("bytes", {"logicalType": "of-our-own", "x": [1, None, {"y": 2.5}]}),
)
_VALUES: Final[dict[str, tuple[Any, ...]]] = {
    "null": (None,),
    "boolean": (True, False),
    "int": (0, -1, 2**31 - 1),
    "long": (0, 2**31, -(2**63)),
    "float": (0, 1.5, 10**20),
    "double": (0.0, -1e300, 7),
    "bytes": ("", "\u00ff"),
    "string": ("", "text"),
}
_NUMBERS_AS_TEXT: Final = ("NaN", "-Infinity", " 1.5e3f", "0x1p-2", "1.", ".5D", "1e999", "one", "")
"""Only a float or double takes them, and only as the default of the field itself."""
_ALIASES: Final = ("a", "b", "f", "g", "h")
_MAX_DEPTH: Final = 4


class SchemaMaker:
    """Makes one schema; the names that it has defined so far are known to it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._known: list[tuple[tuple[str, str], dict[str, Any]]] = []

    def schema(self) -> Any:
        """A whole schema, mostly a record."""
        return self._record(0, "") if self._chance(0.8) else self.type(0, "")

    def type(self, depth: int, namespace: str) -> Any:
        """Any type but a union; `namespace` is that of what holds it."""
        makers = [self._primitive] * 5 + [self._reference] * 2
        if depth < _MAX_DEPTH:
            makers += [self._record, self._enum, self._enum, self._fixed, self._array, self._map]
        return self._random.choice(makers)(depth, namespace)

    def field_type(self, depth: int, namespace: str) -> Any:
        """A type, or a union."""
        if self._chance(0.3):
            return self.union(depth, namespace)
        return self.type(depth, namespace)

    def union(self, depth: int, namespace: str) -> list[Any]:
        """Distinct branches, for the most part."""
        branches: list[Any] = ["null"] if self._chance(0.5) else []
        for _ in range(self._random.randint(1, 3)):
            branch = self.type(depth + 1, namespace)
            if _kind(branch) not in map(_kind, branches) or self._chance(0.01):
                branches.append(branch)
        if self._chance(0.3):
            self._random.shuffle(branches)
        return branches

    def field(self, name: str, depth: int, namespace: str) -> dict[str, Any]:
        """A field, with a default in half of the cases."""
        kind = self.field_type(depth, namespace)
        field: dict[str, Any] = {"name": name, "type": kind}
        if self._chance(0.05 if self._is_unfinished(kind) else 0.5):
            field["default"] = self.value(kind)
            if kind in ("float", "double") and self._chance(0.3):
                field["default"] = self._random.choice(_NUMBERS_AS_TEXT)
        if self._chance(0.1):
            field["aliases"] = self._random.sample(_ALIASES, self._random.randint(1, 2))
        if self._chance(0.03):
            field["order"] = self._random.choice(("ignore", "DESCENDING"))
        if self._chance(0.03):
            field["doc"] = "of this field"
        return field

    def value(self, kind: Any, depth: int = 0) -> Any:
        """A default for a type, valid for the most part."""
        if isinstance(kind, list):
            return self.value(self._random.choice(kind), depth) if kind else None
        if isinstance(kind, dict):
            return self._complex_value(kind, depth)
        if kind in _VALUES:
            return self._random.choice(_VALUES[kind])
        definition = self._definition(kind) if isinstance(kind, str) else None
        if definition and depth < _MAX_DEPTH:
            return self._complex_value(definition, depth)
        return self._random.choice(({}, None, "P"))

    def _definition(self, name: str) -> dict[str, Any] | None:
        simple = name.rpartition(".")[2]
        return next((schema for known, schema in self._known if known[1] == simple), None)

    def _is_unfinished(self, kind: Any) -> bool:
        """Whether it names a record that is being made: Java takes no default for it."""
        branches = kind if isinstance(kind, list) else [kind]
        definitions = [self._definition(name) for name in branches if isinstance(name, str)]
        return any(
            d is not None and d["type"] == "record" and "fields" not in d for d in definitions
        )

    def _complex_value(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        if kind == "enum":
            return self._random.choice(schema.get("symbols") or SYMBOLS)
        if kind == "fixed":
            return "\u0001"
        if kind == "array":
            return [self.value(schema["items"], depth + 1)] if self._chance(0.5) else []
        if kind == "map":
            return {"k": self.value(schema["values"], depth + 1)} if self._chance(0.5) else {}
        if kind in ("record", "error"):
            return {
                field["name"]: self.value(field["type"], depth + 1)
                for field in schema.get("fields", ())
                if "default" not in field or self._chance(0.5)
            }
        return self.value(kind, depth + 1)

    def _primitive(self, depth: int, namespace: str) -> Any:
        if self._chance(0.15):
            kind, attributes = self._random.choice(_LOGICAL)
            return {"type": kind, **attributes}
        kind = self._random.choice(PRIMITIVES)
        return {"type": kind} if self._chance(0.1) else kind

    def _reference(self, depth: int, namespace: str) -> Any:
        known = self._known
        if not known or self._chance(0.03):
            # A name that may come later, or never.
            return self._random.choice(TYPE_NAMES) if self._chance(0.3) else "long"
        space, name = self._random.choice(known)[0]
        return name if space in ("", namespace) else f"{space}.{name}"

    def _record(self, depth: int, namespace: str) -> Any:
        schema, inside = self._named("record", namespace)
        schema["fields"] = [
            self.field(name, depth + 1, inside)
            for name in self._random.sample(FIELD_NAMES, self._random.randint(0, 4 - depth // 2))
        ]
        return schema

    def _enum(self, depth: int, namespace: str) -> Any:
        schema, _ = self._named("enum", namespace)
        schema["symbols"] = self._random.sample(SYMBOLS, self._random.randint(1, 4))
        if self._chance(0.4):
            schema["default"] = self._random.choice(schema["symbols"])
        return schema

    def _fixed(self, depth: int, namespace: str) -> Any:
        schema, _ = self._named("fixed", namespace)
        schema["size"] = self._random.choice((0, 1, 4, 12, 16))
        if self._chance(0.3):
            schema |= {"logicalType": "decimal", "precision": 4}
        return schema

    def _array(self, depth: int, namespace: str) -> Any:
        return {"type": "array", "items": self.field_type(depth + 1, namespace)}

    def _map(self, depth: int, namespace: str) -> Any:
        return {"type": "map", "values": self.field_type(depth + 1, namespace)}

    def _named(self, kind: str, namespace: str) -> tuple[dict[str, Any], str]:
        """The start of a named type, and the namespace inside it."""
        schema: dict[str, Any] = {"type": kind}
        if self._chance(0.2):
            schema["namespace"] = namespace = self._random.choice(NAMESPACES)
        taken = {name for name, _ in self._known}
        fresh = [name for name in TYPE_NAMES if (namespace, name) not in taken]
        name = self._random.choice(fresh if fresh and self._chance(0.98) else TYPE_NAMES)
        schema["name"] = name
        if self._chance(0.1):
            namespace = self._random.choice(NAMESPACES[1:])
            schema["name"] = f"{namespace}.{name}"
        if self._chance(0.2):
            schema["aliases"] = [self.alias() for _ in range(self._random.randint(1, 2))]
        self._known.append(((namespace, name), schema))
        return schema, namespace

    def alias(self) -> str:
        """Of a type, with any namespace or none."""
        name = self._random.choice(TYPE_NAMES)
        space = self._random.choice(("", "", "", ".", "n.", "n.m.", "o."))
        return f"{space}{name}"

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


def _kind(branch: Any) -> Any:
    """What a union may hold once."""
    if not isinstance(branch, dict):
        return branch.rpartition(".")[2] if isinstance(branch, str) else branch
    return branch.get("name", "").rpartition(".")[2] or branch["type"]
