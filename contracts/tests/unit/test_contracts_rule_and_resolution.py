"""What the compatibility rule calls compatible can be read: any schemas, any data.

Where it can't, a lint of the gate has said so by name.
"""

import io
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from fastavro import schema as fastavro_schema
from fastavro import schemaless_reader
from hypothesis import given, settings
from hypothesis import strategies as st

from roas_contracts.avro_reading import ReadFunction, UndecodableError
from roas_contracts.compatibility import (
    ArraySchema,
    AvroSchema,
    InvalidSchemaError,
    MapSchema,
    NamedSchema,
    RecordSchema,
    UnionSchema,
    incompatibilities,
    parse_schema,
)
from roas_contracts.compatibility.rule import PROMOTIONS
from roas_contracts.gate import evolution_lints, reading_lints
from roas_contracts.gate.schema_tree import tree_of
from roas_contracts.resolution import UnresolvableError, compile_reader
from roas_fuzz.bodies import NoBodyError, body
from roas_fuzz.pairs import Pair, pair

NO_READER = {"default-unusable", "alias-ambiguous"}
"""Lints of schemas that no reader can follow."""
NO_TEXT = "bytes-string-changed"
"""The lint of data that can't be read as text."""

SEEDS = st.integers(0, 10**6)
NUMBERS = st.integers(0, 10**6)


def compatible(pair: Pair) -> tuple[AvroSchema, AvroSchema] | None:
    """Writer and reader, if the one may follow the other."""
    try:
        writer, reader = parse_schema(pair.one), parse_schema(pair.other)
    except InvalidSchemaError:
        return None
    return None if incompatibilities(reader=reader, writer=writer) else (writer, reader)


def lints(pair: Pair, reader: AvroSchema) -> set[str]:
    old, new = tree_of(json.loads(pair.one)), tree_of(json.loads(pair.other))
    found = [*reading_lints.objections(new, reader), *evolution_lints.objections(new, old)]
    return {objection.lint for objection in found}


def is_loadable(pair: Pair) -> bool:
    """Whether a contract's file may have such texts: no comments, no name before its definition."""
    try:
        for text in (pair.one, pair.other):
            fastavro_schema.parse_schema(json.loads(text))
    except Exception:  # fastavro answers with whatever it stumbles over.
        return False
    return True


def plain(schema: Any) -> Any:
    """Without logical types, of which fastavro makes dates and decimals."""
    if isinstance(schema, dict):
        return {key: plain(value) for key, value in schema.items() if key != "logicalType"}
    return [plain(each) for each in schema] if isinstance(schema, list) else schema


def theirs(pair: Pair, data: bytes) -> Any:
    """What fastavro reads; raises what it raises, and where it would bring down the process."""
    names: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    writer, reader = (
        fastavro_schema.parse_schema(plain(json.loads(text)), named_schemas=named)
        for text, named in zip((pair.one, pair.other), names, strict=True)
    )
    for named in names:
        for name in named:
            require_end(name, named, frozenset())
    return schemaless_reader(io.BytesIO(data), writer, reader)


def require_end(schema: Any, named: dict[str, Any], inside: frozenset[str]) -> None:
    """Raises RecursionError for a record that always holds itself, as fastavro understands names.

    It would read such a record until its stack overflows.
    """
    if isinstance(schema, str) and schema in named:
        if schema in inside:
            raise RecursionError(schema)
        require_end(named[schema], named, inside | {schema})
    elif isinstance(schema, dict) and "fields" in schema:
        for each in schema["fields"]:
            kind = each["type"]
            is_defined_here = isinstance(kind, dict) and "name" in kind
            require_end(kind["name"] if is_defined_here else kind, named, inside)


def schemas_of(root: AvroSchema) -> Iterator[AvroSchema]:
    """Every schema in a schema once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        schema = waiting.pop()
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema
        if isinstance(schema, RecordSchema):
            waiting += [field.schema for field in schema.fields]
        elif isinstance(schema, UnionSchema):
            waiting += schema.branches
        elif isinstance(schema, ArraySchema):
            waiting.append(schema.items)
        elif isinstance(schema, MapSchema):
            waiting.append(schema.values)


def has_a_choice(reader: AvroSchema) -> bool:
    """Whether a union has two branches for one value: fastavro takes the first that would do, we
    the one that was written."""
    return any(
        one.type == other.type or (one.type, other.type) in PROMOTIONS
        for schema in schemas_of(reader)
        if isinstance(schema, UnionSchema)
        for one, other in itertools.permutations(schema.branches, 2)
    )


def has_namesakes(schema: AvroSchema) -> bool:
    """Whether two types differ in their namespace alone: inside the one, fastavro takes its name
    for itself, Avro's Java (and so we) for the other."""
    names = [each.name for each in schemas_of(schema) if isinstance(each, NamedSchema)]
    return len(names) > len(set(names))


def is_alike(ours: Any, other: Any) -> bool:
    """Equal, but for defaults: fastavro keeps them as the JSON has them, where we make bytes,
    numbers and inner defaults of them, and leave out what is no field."""
    if isinstance(ours, dict) and isinstance(other, dict):
        return all(is_alike(ours[name], other[name]) for name in other if name in ours)
    if isinstance(ours, list) and isinstance(other, list):
        return len(ours) == len(other) and all(map(is_alike, ours, other))
    if isinstance(ours, bytes) and isinstance(other, str):
        return ours == other.encode("latin-1")
    if isinstance(ours, float) and isinstance(other, str):
        return True  # "NaN" and the like.
    return bool(ours == other)


def read_whole(function: ReadFunction, data: bytes) -> Any:
    """Raises UnicodeDecodeError where bytes are no text, from inside a record too."""
    try:
        value, end = function(data, 0)
    except UndecodableError as error:
        if "not UTF-8" not in str(error):
            raise
        raise UnicodeDecodeError("utf-8", data, 0, 1, str(error)) from error
    assert end == len(data)
    return value


def outcome(pair: Pair, random: Random) -> str:
    """What came of a pair; fails where a compatible writer can't be read and no lint said so."""
    schemas = compatible(pair)
    if schemas is None:
        return "not compatible"
    writer, reader = schemas
    try:
        function = compile_reader(writer, reader, {})
    except UnresolvableError:
        if is_loadable(pair):
            assert lints(pair, reader) & NO_READER, pair
        return "lint: no reader"
    try:
        data = body(writer, random)
    except NoBodyError:
        return "no value"
    try:
        ours = read_whole(function, data)
    except UnicodeDecodeError:
        if is_loadable(pair):
            assert NO_TEXT in lints(pair, reader), pair
        return "lint: no text"
    except UndecodableError:  # Of a branch that no reader can follow.
        if is_loadable(pair):
            assert lints(pair, reader) & NO_READER, pair
        return "lint: no reader"
    if isinstance(reader, RecordSchema):
        assert isinstance(ours, dict)
        assert ours.keys() == reader.by_name.keys(), pair
    if has_a_choice(reader) or has_namesakes(reader) or has_namesakes(writer):
        return "a choice"
    try:
        other = theirs(pair, data)
    except Exception:  # Ours may read what fastavro does not.
        return "ours alone"
    assert is_alike(ours, other), (pair, data, ours, other)
    return "as fastavro"


@settings(max_examples=400, deadline=None)
@given(seed=SEEDS, number=NUMBERS)
def test_what_the_rule_calls_compatible_is_read_as_fastavro_reads_it(
    seed: int, number: int
) -> None:
    outcome(pair(seed, number), Random(number))


def test_the_property_is_about_something() -> None:
    """Each way in which a pair may end is met, and most of the compatible ones are compared."""
    seen = Counter(outcome(pair(20261125, number), Random(number)) for number in range(2500))
    assert seen["as fastavro"] > 700
    assert seen["ours alone"] < seen["as fastavro"] / 20
    for rare in ("lint: no reader", "lint: no text", "not compatible"):
        assert seen[rare] > 0


def record(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def fixed(size: int) -> dict[str, Any]:
    return {"type": "fixed", "name": "F", "size": size}


@pytest.mark.parametrize(
    ("kind", "default", "value"),
    [
        (["null", "bytes"], "\u00ff", b"\xff"),
        (["null", "string"], "text", "text"),
        (["string", "null"], None, None),
        (["int", {"type": "map", "values": "float"}], {"k": 1}, {"k": 1.0}),
        (["null", record(field("a", "int", default=3), field("b", "bytes"))], {"b": "é"}, None),
        ("double", "1.5e3f", 1500.0),
        (fixed(2), "\u0000\u00ff", b"\x00\xff"),
    ],
    ids=["later-bytes", "later-string", "later-null", "later-map", "inner", "number", "fixed"],
)
def test_a_default_is_the_value_of_the_branch_that_it_fits(
    kind: Any, default: Any, value: Any
) -> None:
    if value is None and default is not None:
        value = {"a": 3, "b": b"\xe9"}
        kind[1]["name"] = "Inner"
    reader = record(field("f", kind, default=default))
    assert compile_reader(record(), reader, {})(b"", 0) == ({"f": value}, 0)


@pytest.mark.parametrize(
    ("kind", "default", "said"),
    [
        ({"type": "enum", "name": "E", "symbols": ["A"]}, "B", "'B' is no symbol of E"),
        (fixed(2), "x", "'x' has 1 bytes, F has 2"),
        ("bytes", "€", "'€' has letters that are no bytes"),
    ],
)
def test_a_default_that_is_no_value_is_refused_before_any_record_and_by_a_lint(
    kind: Any, default: Any, said: str
) -> None:
    reader = record(field("f", kind, default=default))
    with pytest.raises(UnresolvableError, match=f"f: its default {said}"):
        compile_reader(record(), reader, {})
    (objection,) = reading_lints.objections(tree_of(reader), parse_schema(json.dumps(reader)))
    assert (objection.lint, objection.at) == ("default-unusable", "f")
    assert objection.pointer == "/fields/0/default"


def named(name: str, *, aliases: tuple[str, ...] = ()) -> dict[str, Any]:
    more = {"aliases": list(aliases)} if aliases else {}
    return {"type": "enum", "name": name, "symbols": ["A"], **more}


@pytest.mark.parametrize(
    ("writer", "reader", "is_read"),
    [
        (named("a.E"), named("b.E"), True),
        (named("a.E"), named("b.F"), False),
        (named("a.E"), named("b.F", aliases=("a.E",)), True),
        (named("a.E"), named("b.F", aliases=("E",)), False),
        (named("a.E"), named("a.F", aliases=("E",)), True),
    ],
    ids=["other-namespace", "other-name", "full-alias", "alias-of-ours", "alias-of-same"],
)
def test_a_named_type_is_known_by_its_name_or_by_the_full_name_of_an_alias(
    writer: Any, reader: Any, is_read: bool
) -> None:
    old, new = (parse_schema(json.dumps(each)) for each in (writer, reader))
    assert bool(incompatibilities(reader=new, writer=old)) is not is_read
    if is_read:
        assert compile_reader(old, new, {})(b"\0", 0) == ("A", 1)
    else:
        with pytest.raises(UnresolvableError):
            compile_reader(old, new, {})


def test_our_union_is_read_as_the_branch_that_takes_every_value() -> None:
    writer = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
    narrow = {"type": "enum", "name": "E", "symbols": ["A"]}
    wide = {"type": "enum", "name": "n.E", "symbols": ["A", "B"]}
    assert compile_reader(writer, [narrow, wide], {})(b"\x02", 0) == ("B", 1)


def test_a_record_that_could_not_be_read_is_not_half_there_elsewhere() -> None:
    """Inner leads back to the record that failed: what was made of it then is no reader."""
    inner = record(field("back", ["null", "R"]), name="Inner")
    writer = record(
        field("a", [record(field("inner", inner), field("more", "int")), "null"]),
        field("b", "Inner"),
        name="Top",
    )
    reader = record(
        field("a", [record(field("inner", inner), field("missing", "int")), "null"]),
        field("b", "Inner"),
        name="Top",
    )
    function = compile_reader(writer, reader, {})
    assert function(b"\x02\0", 0) == ({"a": None, "b": {"back": None}}, 2)
    with pytest.raises(UndecodableError, match=r"b\.back: .*: missing is missing and has"):
        function(b"\x02\x02\0\x0e", 0)


def test_a_name_comes_before_an_alias_in_any_order() -> None:
    name, alias = field("a", "int"), field("b", "int", aliases=["a"], default=0)
    for fields in ((name, alias), (alias, name)):
        assert compile_reader(record(name), record(*fields), {})(b"\x0e", 0)[0] == {"a": 7, "b": 0}


def test_a_dropped_field_may_have_aliases_that_no_reader_could_follow() -> None:
    """It is walked, not read: names do not matter."""
    strange = record(field("a", "int", aliases=["b"]), field("b", "int"), name="Strange")
    writer = record(field("gone", ["null", strange]), field("kept", "int"))
    reader = record(field("kept", "int"))
    assert compile_reader(writer, reader, {})(b"\x02\x02\x04\x06", 0) == ({"kept": 3}, 4)


def test_two_fields_with_one_alias_are_refused_by_a_lint() -> None:
    reader = record(
        field("a", "int", aliases=["old"]),
        field("b", "int", aliases=["old"]),
        field("c", "int", aliases=["a"]),
        field("d", "int", aliases=["before"]),
    )
    tree = tree_of(reader)
    found = list(reading_lints.objections(tree, parse_schema(json.dumps(reader))))
    assert [(each.lint, each.at) for each in found] == [
        ("alias-ambiguous", name) for name in ("a", "b", "c")
    ]
