"""What is an Avro schema, and what is said of a text that is none."""

import json
from typing import Any

import pytest

from roas_contracts.compatibility import (
    AvroSchema,
    EnumSchema,
    InvalidSchemaError,
    NamedSchema,
    RecordSchema,
    UnionSchema,
    line_of,
    parse_schema,
)
from roas_contracts.subjects import load_subjects


def parse(schema: Any) -> AvroSchema:
    return parse_schema(json.dumps(schema))


def record(*fields: dict[str, Any], name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def enum(*symbols: Any, name: str = "E", **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


FIXED = {"type": "fixed", "name": "F", "size": 2}


def test_every_published_contract_is_valid() -> None:
    for subject in load_subjects().values():
        for version in subject.versions:
            parsed = parse_schema(version.text)
            assert isinstance(parsed, RecordSchema)
            assert parsed.full_name == version.parsed["name"]


VALID: list[Any] = [
    "int",
    {"type": "null"},
    [],
    ["null", "int", "long", {"type": "array", "items": "int"}],
    record(),
    {"type": "error", "name": "Oops", "fields": []},
    record(field("f", "int", default=2**31 - 1)),
    record(field("f", "long", default=-(2**63))),
    record(field("f", "double", default=" -1.5e3D ")),
    record(field("f", "float", default="NaN")),
    record(field("f", "double", default="0x1.8p1")),
    record(field("f", "bytes", default="\u0141")),
    record(field("f", FIXED, default="longer than two")),
    record(field("f", enum("A"), default="no symbol of it")),
    record(field("f", ["null", "int"], default=7)),
    record(field("f", {"type": "map", "values": "int"}, default={"a": 1})),
    record(field("f", record(field("g", "int", default=1), name="In"), default={})),
    record(field("f", "int", order="DeScending", aliases=["anything goes", "."])),
    record(field("next", ["null", "R"], default=None)),
    record(field("f", "Later"), field("g", enum("A", name="Later"))),
    record(field("f", ["null", "Later"], default=None), field("g", {**FIXED, "name": "Later"})),
    record(field("f", FIXED), field("g", FIXED)),
    record(field("f", record(name="In")), field("g", record(name="In", doc="again"))),
    record(name="a.b.R", namespace="ignored"),
    record(name="Größe", namespace="é.x"),
    record(field("f", "X"), field("g", enum(name="X")), namespace=""),
    enum(),
    enum("A", default=None),
    enum("A", default=1),
    enum("A", aliases=["1.A", ".B"]),
    {"type": "fixed", "name": "F", "size": 0},
    {"type": "int", "logicalType": "decimal", "precision": -1},
    {"type": "int", "anything": [2**70]},
]

INVALID: list[tuple[Any, str, str]] = [
    (5, "/", "not a number"),
    ("Unknown", "/", "Unknown is not defined"),
    ({"type": "R"}, "/type", "there is no type 'R'"),
    ({}, "/", "no type"),
    (["int", "int"], "/1", "int is twice"),
    ([["int"]], "/0", "union directly inside a union"),
    ([enum("A"), "E"], "/1", "E is twice"),
    ({"type": "array"}, "/", "array without items"),
    ({"type": "map", "values": {"type": "array", "items": 1}}, "/values/items", "not a number"),
    (record(field("f", {"type": {"type": "string"}})), "/fields/0/type/type", "is a string"),
    (record(field("f", "int"), field("f", "int")), "/fields/1/name", "f is there twice"),
    (record({"type": "int"}), "/fields/0", "needs a name"),
    (record({"name": "f"}), "/fields/0", "f has no type"),
    (record(field("f-g", "int")), "/fields/0/name", "'f-g' is not a name"),
    (record(field("f", "int", order="up")), "/fields/0/order", "ascending"),
    (record(field("f", "int", aliases="g")), "/fields/0/aliases", "list of strings"),
    (record(field("f", "int", default=2**31)), "/fields/0/default", "not a value of its type int"),
    (record(field("f", "int", default=1.0)), "/fields/0/default", "not a value"),
    (record(field("f", "int", default=True)), "/fields/0/default", "not a value"),
    (record(field("f", "int", default=None)), "/fields/0/default", "null, is not a value"),
    (record(field("f", "double", default="one")), "/fields/0/default", "'one' is not a number"),
    (record(field("f", ["null", "double"], default="1")), "/fields/0/default", "not a value"),
    (record(field("f", record(field("g", "int"), name="In"), default={})), "/fields/0/default", ""),
    (record(field("f", "R", default={})), "/fields/0/default", "which holds this field itself"),
    (record(field("f", "Later", default="A"), field("g", enum("A", name="Later"))), "", ""),
    (record(field("f", ["Later", "Later"]), field("g", enum(name="Later"))), "", "twice in a"),
    (record(field("f", FIXED), field("g", {**FIXED, "size": 3})), "/fields/1/type", "twice, diff"),
    (record(field("f", record(field("n", ["null", "In"]), name="In")), name="In"), "", "twice"),
    (record(name="int"), "/name", "named int"),
    (record(name="a..R"), "/name", "empty"),
    (record(namespace="1a"), "/name", "'1a' is not a name"),
    (record(name="R\U0001d400"), "/name", "is not a name"),
    (record(aliases=["1"]), "/aliases/0", "'1' is not a name"),
    (record(limit=2**70), "/limit", "beyond 64 bits"),
    ({"type": "record", "name": "R"}, "/", "needs fields"),
    (enum("A", "B", "A"), "/symbols/2", "A is there twice"),
    (enum("A", None), "/symbols/1", "must be a string"),
    (enum("A", default="B"), "/default", "'B' is none of the symbols"),
    ({"type": "enum", "name": "E", "symbols": "A"}, "/symbols", "needs symbols"),
    ({**FIXED, "size": -1}, "/size", "whole number"),
    ({**FIXED, "size": True}, "/size", "whole number"),
    ({"type": "fixed", "size": 1}, "/", "without a name"),
]


@pytest.mark.parametrize("schema", VALID, ids=json.dumps)
def test_valid(schema: Any) -> None:
    parse(schema)


@pytest.mark.parametrize(("schema", "path", "reason"), INVALID, ids=lambda v: json.dumps(v)[:80])
def test_invalid_says_where_and_why(schema: Any, path: str, reason: str) -> None:
    with pytest.raises(InvalidSchemaError) as raised:
        parse(schema)
    assert reason in raised.value.reason
    if path:
        assert raised.value.path == path
    assert raised.value.line == 1


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "Expecting value"),
        ('{"type":\n "int",\n}', 3, "not JSON"),
        ('"int" "long"', 1, "something follows the schema"),
        ('"int"\n// comment', 2, "something follows the schema"),
        ('/* no end "int"', 1, "not JSON"),
        ('{"type": "int", "x": NaN}', 1, "NaN is not a JSON number"),
        ('{"type": "int", "x": 1' + "0" * 1000 + "}", 1, "more than 1000 digits"),
        ('["int",\n' + "[" * 1000, 2, "more than 1000 levels"),
        ('{"type": "record", "name": "R", "fields": [\n{"name": "f", "type":\n"X"}]}', 3, "X is"),
        ('\ufeff"int"', 1, "not JSON"),
    ],
)
def test_the_line_is_named(text: str, line: int, reason: str) -> None:
    with pytest.raises(InvalidSchemaError) as raised:
        parse_schema(text)
    assert reason in raised.value.reason
    assert raised.value.line == line


def test_comments_before_and_inside_are_none_of_its_business() -> None:
    text = (
        '// a [ "\n{ /* { */ "type": "enum", "name": "E", // "x"\n"symbols": ["A"], "u": "//" }\n'
    )
    schema = parse_schema(text)
    assert isinstance(schema, EnumSchema)
    assert schema.properties == {"u": "//"}


def test_the_deepest_schema_is_read() -> None:
    schema = parse_schema('{"type":"array","items":' * 990 + '"int"' + "}" * 990)
    assert schema.type == "array"


def test_names_aliases_and_references_follow_namespaces() -> None:
    inner = enum("A", name="E", aliases=["Old", "other.Old", ".Bare"])
    schema = parse(
        record(field("e", inner), field("again", ["null", "E", "a.R"]), name="R", namespace="a")
    )
    assert isinstance(schema, RecordSchema)
    found = schema.fields[0].schema
    assert isinstance(found, NamedSchema)
    assert (schema.full_name, found.full_name) == ("a.R", "a.E")
    assert found.aliases == ["a.Old", "other.Old", ".Bare"]
    union = schema.fields[1].schema
    assert isinstance(union, UnionSchema)
    assert union.branches[1] is found
    assert union.branches[2] is schema


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "long", "logicalType": "timestamp-millis"}, "timestamp-millis"),
        ({"type": "int", "logicalType": "timestamp-millis"}, None),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, "decimal"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 5}, None),
        ({"type": "bytes", "logicalType": "decimal"}, None),
        ({**FIXED, "logicalType": "decimal", "precision": 4}, "decimal"),
        ({**FIXED, "logicalType": "decimal", "precision": 5}, None),
        ({**FIXED, "logicalType": "uuid"}, None),
        ({"type": "string", "logicalType": "uuid"}, "uuid"),
        ({"type": "string", "logicalType": "uuid", "avro.java.string": "String"}, None),
        ({"type": "string", "logicalType": "of-our-own"}, None),
    ],
)
def test_a_logical_type_that_does_not_fit_is_ignored(schema: Any, expected: str | None) -> None:
    assert parse(schema).logical_type == expected


def test_a_line_is_found_for_every_place() -> None:
    document = {"a": [1, {"b,": "]}", 'c"': {"d": [[], [True, "x"]]}}, []], "e": {"f": None}}
    text = json.dumps(document, indent=2)

    def places(node: Any, path: str) -> list[str]:
        inside = (
            node.items()
            if isinstance(node, dict)
            else enumerate(node) if isinstance(node, list) else ()
        )
        return [path, *(p for key, value in inside for p in places(value, f"{path}/{key}"))]

    lines = [line_of(text, place) or 0 for place in places(document, "")]
    # Indented JSON has one value on each line, and lines of closing brackets.
    closing = [n for n, line in enumerate(text.splitlines(), 1) if line.strip(" ,") in ("]", "}")]
    assert sorted([*lines, *closing]) == list(range(1, text.count("\n") + 2))
    assert lines == sorted(lines)
    assert line_of(text, "/a/1/nothing/there") == line_of(text, "/a/1")


@pytest.mark.parametrize("left_over", ["\x00", "x", "}", '"', ", 1", ": ]", "{"])
def test_what_follows_the_schema_does_not_mislead(left_over: str) -> None:
    text = '{"type": "int",\n"a": {}, "b": {"c": {}}}' + left_over
    assert line_of(text, "/b/c") == 2
    assert line_of(text, "/type/nothing") == 1
