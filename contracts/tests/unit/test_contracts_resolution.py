"""From a writer's schema to ours: equal to fastavro's resolution where that is right."""

import io
from typing import Any

import pytest
from fastavro import schemaless_reader, schemaless_writer
from fastavro.schema import parse_schema
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.avro_reading import UndecodableError
from roas_contracts.avro_schema import NotAvroError
from roas_contracts.resolution import UnresolvableError, compile_reader
from roas_corpus.records import varint


def record(*fields: dict[str, Any], name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def enum(*symbols: str, name: str = "E", **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def write(schema: Any, value: Any) -> bytes:
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(schema), value)
    return out.getvalue()


def read(writer: Any, reader: Any, body: bytes) -> Any:
    value, end = compile_reader(writer, reader, {})(body, 0)
    assert end == len(body)
    return value


TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers(-(2**31), 2**31 - 1)


@pytest.mark.parametrize(
    ("writer", "reader", "values"),
    [
        ("int", "long", NUMBERS),
        ("int", "float", st.integers(-(2**20), 2**20)),
        ("int", "double", NUMBERS),
        ("long", "double", st.integers(-(2**50), 2**50)),
        ("float", "double", st.floats(width=32, allow_nan=False)),
        ("string", "bytes", TEXT),
        ("int", ["null", "long"], NUMBERS),
        (["null", "int"], ["null", "long"], st.none() | NUMBERS),
        (["int", "null"], ["null", "int"], st.none() | NUMBERS),
        ("string", ["null", "string"], TEXT),
    ],
)
@given(data=st.data())
def test_promotions_and_unions_are_fastavros(
    writer: Any, reader: Any, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = data.draw(values)
    ours, theirs = record(field("f", writer)), record(field("f", reader))
    body = write(ours, {"f": value})
    expected = schemaless_reader(io.BytesIO(body), parse_schema(ours), parse_schema(theirs))
    found = read(ours, theirs, body)
    assert found == expected
    assert repr(found) == repr(expected)  # 7 is not 7.0.


def test_bytes_become_text_only_if_they_are() -> None:
    writer, reader = record(field("f", "bytes")), record(field("f", "string"))
    assert read(writer, reader, b"\x04\xc3\xa9") == {"f": "é"}
    with pytest.raises(UndecodableError, match="not UTF-8"):
        read(writer, reader, b"\x02\xff")


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        ("long", "int"),
        ("double", "float"),
        ("float", "long"),
        ("string", "int"),
        ("null", "string"),
        ("boolean", "int"),
        (["null", "string"], "int"),
        ("string", ["null", "int"]),
        ({"type": "map", "values": "int"}, {"type": "array", "items": "int"}),
        ({"type": "map", "values": "string"}, {"type": "map", "values": "int"}),
        ({"type": "fixed", "name": "F", "size": 4}, {"type": "fixed", "name": "F", "size": 5}),
        ({"type": "fixed", "name": "F", "size": 4}, "bytes"),
        (enum("A"), "string"),
        (enum("A"), enum("A", name="Other")),
        (record(name="In"), record(name="Out")),
    ],
)
def test_what_can_not_be_read_is_known_before_any_byte(writer: Any, reader: Any) -> None:
    with pytest.raises(UnresolvableError, match="f: "):
        compile_reader(record(field("f", writer)), record(field("f", reader)), {})


def test_a_missing_field_gets_a_default_of_its_own() -> None:
    reader = record(
        field("a", "string"),
        field("b", "bytes", default="\u00ff"),
        field("c", {"type": "map", "values": "long"}, default={"x": 1}),
        field("d", enum("A", "B"), default="B"),
        field("e", ["null", "string"], default=None),
        field("f", {"type": "array", "items": "double"}, default=[1]),
        field("g", record(field("h", "int", default=7), name="In"), default={}),
    )
    function = compile_reader(record(field("a", "string")), reader, {})
    first, _ = function(b"\x02x", 0)
    expected = {
        "a": "x",
        "b": b"\xff",
        "c": {"x": 1},
        "d": "B",
        "e": None,
        "f": [1.0],
        "g": {"h": 7},
    }
    assert first == expected
    first["c"]["y"] = 2
    first["f"].append(3.0)
    second, _ = function(b"\x02x", 0)
    assert second == expected


def test_a_missing_field_without_default_is_named() -> None:
    with pytest.raises(UnresolvableError, match="b is missing"):
        compile_reader(record(field("a", "int")), record(field("b", "int")), {})


def test_a_field_is_found_by_our_alias() -> None:
    reader = record(field("new", "int", aliases=["old"]))
    assert read(record(field("old", "int")), reader, b"\x0e") == {"new": 7}


def test_a_type_is_found_by_our_alias() -> None:
    writer = record(field("f", enum("A", name="Old")), namespace="n")
    reader = record(field("f", enum("A", name="New", aliases=["Old"])), namespace="n")
    assert read(writer, reader, b"\0") == {"f": "A"}


def test_a_symbol_that_we_lack_is_our_default_or_damage() -> None:
    writer = record(field("f", enum("A", "B", "C")))
    with_default = record(field("f", enum("C", "A", default="A")))
    assert [read(writer, with_default, varint(i))["f"] for i in range(3)] == ["A", "A", "C"]
    without = record(field("f", enum("C", "A")))
    with pytest.raises(UndecodableError, match="'B' is no symbol of ours"):
        read(writer, without, varint(1))


def test_our_union_is_read_as_the_same_type_before_a_promotion() -> None:
    writer, reader = record(field("f", "int")), record(field("f", ["null", "double", "int"]))
    assert repr(read(writer, reader, b"\x0e")) == "{'f': 7}"  # Not 7.0.


def test_dropped_fields_are_walked() -> None:
    writer = record(field("x", {"type": "map", "values": "string"}), field("a", "int"))
    reader = record(field("a", "int"))
    assert read(writer, reader, b"\x02\x02k\x02v\x00\x0e") == {"a": 7}
    with pytest.raises(UndecodableError, match="x"):
        read(writer, reader, b"\x02\x02k\x02\xff\x00\x0e")


def test_a_damaged_count_of_items_without_bytes_ends_at_once() -> None:
    schema = record(field("f", {"type": "array", "items": "null"}))
    assert read(schema, schema, varint(2**62) + b"\0") == {"f": [None]}


def test_the_problem_names_the_way_to_it() -> None:
    inner = record(field("deep", "boolean"), name="In")
    schema = record(field("f", {"type": "array", "items": inner}))
    with pytest.raises(UndecodableError, match=r"^f\.\[1\]\.deep: a boolean byte of 9$"):
        read(schema, schema, varint(2) + b"\1\x09")


@pytest.mark.parametrize("schema", [None, 5, {}, "nope", {"type": "array"}, {"type": "fixed"}])
def test_what_is_no_schema_is_said(schema: Any) -> None:
    with pytest.raises(NotAvroError):
        compile_reader(schema, "string", {})
