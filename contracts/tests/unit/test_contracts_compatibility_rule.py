"""The compatibility rule, case by case; that it is Avro's is proven by the fuzz."""

import json
from typing import Any

import pytest

from roas_contracts.compatibility import (
    check_mode,
    incompatibilities,
    parse_schema,
)
from roas_contracts.errors import InputError


def check(reader: Any, writer: Any) -> list[tuple[str, str, str]]:
    found = incompatibilities(parse_schema(json.dumps(reader)), parse_schema(json.dumps(writer)))
    return [(each.type.value, each.path, each.message) for each in found]


def record(*fields: dict[str, Any], name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def enum(*symbols: str, name: str = "E", **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(size: int, name: str = "F", **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": size, **more}


PROMOTED = {
    "long": {"int"},
    "float": {"int", "long"},
    "double": {"int", "long", "float"},
    "bytes": {"string"},
    "string": {"bytes"},
}


def test_primitives_are_promoted_and_never_narrowed() -> None:
    kinds = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
    for reader in kinds:
        for writer in kinds:
            readable = reader == writer or writer in PROMOTED.get(reader, ())
            assert (check(reader, writer) == []) == readable, (reader, writer)


COMPATIBLE: list[tuple[str, Any, Any]] = [
    ("a namespace does not count", record(namespace="a"), record(namespace="b")),
    ("a qualified alias", record(name="New", namespace="a", aliases=["b.R"]), record(name="b.R")),
    ("an alias in its namespace", record(name="a.New", aliases=["R"]), record(name="a.R")),
    ("a new field with a default", record(field("f", "int", default=0)), record()),
    ("a new field whose default is null", record(field("f", "null", default=None)), record()),
    ("a dropped field", record(), record(field("f", "int"))),
    ("a renamed field", record(field("g", "int", aliases=["f"])), record(field("f", "int"))),
    ("an unknown symbol with a default", enum("A", default="A"), enum("A", "B")),
    ("more branches", ["null", "int", "string"], ["int", "null"]),
    ("a branch that promotes", ["null", "double"], ["null", "int"]),
    ("no union any more, all readable", "double", ["int", "long"]),
    ("a union of the same", ["null", "int"], "int"),
    (
        "a logical type is not looked at",
        {"type": "long", "logicalType": "timestamp-micros"},
        "long",
    ),
]

INCOMPATIBLE: list[tuple[str, Any, Any, list[tuple[str, str, str]]]] = [
    (
        "another name",
        record(name="N"),
        record(name="a.R"),
        [("NAME_MISMATCH", "/name", "expected: a.R")],
    ),
    (
        "an alias without namespace in a type with one",
        record(name="a.New", aliases=[".R"]),
        record(name="R"),
        [("NAME_MISMATCH", "/name", "expected: R")],
    ),
    (
        "the writer's alias",
        record(name="New"),
        record(name="R", aliases=["New"]),
        [("NAME_MISMATCH", "/name", "expected: R")],
    ),
    (
        "a fixed of another name and size",
        fixed(3),
        fixed(2, "G"),
        [
            ("NAME_MISMATCH", "/name", "expected: G"),
            ("FIXED_SIZE_MISMATCH", "/size", "expected: 2, found: 3"),
        ],
    ),
    (
        "unknown symbols",
        record(field("f", enum("B"))),
        record(field("f", enum("C", "A", "B"))),
        [("MISSING_ENUM_SYMBOLS", "/fields/0/type/symbols", "[A, C]")],
    ),
    (
        "a new field without default",
        record(field("f", "int"), field("g", "int")),
        record(field("f", "int")),
        [("READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/1", "g")],
    ),
    (
        "a new field with only its enum's default",
        record(field("f", enum("A", default="A"))),
        record(),
        [
            (
                "TYPE_MISMATCH",
                "/fields/0/type",
                "reader type: ENUM not compatible with writer type: RECORD",
            )
        ],
    ),
    (
        "nullable becomes required",
        {"type": "array", "items": "int"},
        {"type": "array", "items": ["null", "int"]},
        [("TYPE_MISMATCH", "/items/0", "reader type: INT not compatible with writer type: NULL")],
    ),
    (
        "a branch is missing",
        ["null", "int"],
        ["null", "string", "int"],
        [("MISSING_UNION_BRANCH", "/1", "reader union lacking writer type: STRING")],
    ),
    (
        "no branch for it",
        {"type": "map", "values": ["null", "int"]},
        {"type": "map", "values": "string"},
        [("MISSING_UNION_BRANCH", "/values", "reader union lacking writer type: STRING")],
    ),
    (
        "fixed is not bytes",
        "bytes",
        fixed(2),
        [("TYPE_MISMATCH", "/", "reader type: BYTES not compatible with writer type: FIXED")],
    ),
]


@pytest.mark.parametrize(
    ("reader", "writer"), [c[1:] for c in COMPATIBLE], ids=[c[0] for c in COMPATIBLE]
)
def test_compatible(reader: Any, writer: Any) -> None:
    assert check(reader, writer) == []


@pytest.mark.parametrize(
    ("reader", "writer", "expected"),
    [c[1:] for c in INCOMPATIBLE],
    ids=[c[0] for c in INCOMPATIBLE],
)
def test_incompatible(reader: Any, writer: Any, expected: list[tuple[str, str, str]]) -> None:
    assert check(reader, writer) == expected


def test_a_field_that_could_be_two_is_incompatible_and_named() -> None:
    reader = record(field("a", "int", aliases=["b"]), field("c", "string"))
    writer = record(field("a", "int"), field("b", "int"))
    message = "a matches several fields of the writer: a, b"
    assert check(reader, writer) == [("AMBIGUOUS_FIELD", "/fields/0", message)]
    own = record(field("a", "int", aliases=["a"]))
    assert check(own, own)[0][0] == "AMBIGUOUS_FIELD"


def test_a_type_inside_itself_is_compared_once() -> None:
    def tree(leaf: Any) -> Any:
        return record(
            field("left", ["null", "R"]),
            field("leaf", leaf),
            field("more", {"type": "array", "items": "R"}),
        )

    assert check(tree("long"), tree("int")) == []
    mismatch = "reader type: INT not compatible with writer type: LONG"
    assert check(tree("int"), tree("long")) == [("TYPE_MISMATCH", "/fields/1/type", mismatch)]


def test_a_named_type_keeps_the_place_where_it_was_first_compared() -> None:
    reader = record(field("a", fixed(1)), field("b", "F"))
    writer = record(field("a", fixed(2)), field("b", "F"))
    size = ("FIXED_SIZE_MISMATCH", "/fields/0/type/size", "expected: 2, found: 1")
    assert check(reader, writer) == [size, size]


V1 = record(field("a", "int"))
V2 = record(field("a", "long"))
V3 = record(field("a", "double"))


@pytest.mark.parametrize(
    ("mode", "new", "previous", "expected"),
    [
        ("BACKWARD", V2, [V3, V1], []),
        ("BACKWARD_TRANSITIVE", V2, [V3, V1], [("BACKWARD", 0)]),
        ("FORWARD", V2, [V1, V3], []),
        ("FORWARD_TRANSITIVE", V2, [V1, V3], [("FORWARD", 0)]),
        ("FORWARD", V3, [V1], [("FORWARD", 0)]),
        ("FULL", V2, [V1, V3], [("BACKWARD", 1)]),
        ("FULL_TRANSITIVE", V2, [V1, V3], [("FORWARD", 0), ("BACKWARD", 1)]),
        ("NONE", V1, [V2, V3], []),
        ("FULL_TRANSITIVE", V1, [], []),
    ],
)
def test_modes(mode: str, new: Any, previous: list[Any], expected: list[tuple[str, int]]) -> None:
    schemas = [parse_schema(json.dumps(schema)) for schema in previous]
    found = check_mode(mode, parse_schema(json.dumps(new)), schemas)
    assert [(each.direction, each.against_index) for each in found] == expected


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(InputError, match="no compatibility mode 'full'"):
        check_mode("full", parse_schema('"int"'), [])


def test_a_long_chain_of_types_is_compared() -> None:
    def chain(leaf: str) -> str:
        links = [record(field("f", f"R{n + 1}"), name=f"R{n}") for n in range(1000)]
        last = record(field("f", leaf), name="R1000")
        fields = [field(f"f{n}", link) for n, link in enumerate([*links, last])]
        return json.dumps(record(*fields))

    of_int, of_long = parse_schema(chain("int")), parse_schema(chain("long"))
    assert incompatibilities(of_long, of_int) == []
    found = incompatibilities(of_int, of_long)
    assert {each.path for each in found} == {"/fields/0/type" + "/fields/0/type" * 1001}
    assert len(found) == 1001
