"""Each lint refuses, by its name, what Avro's rule accepts; a waiver lets it through."""

import json
from pathlib import Path
from typing import Any

import pytest
from planted_contracts import PlantedContracts, field_of, without

from roas_contracts.compatibility import check_mode, parse_schema
from roas_contracts.gate import evolution_lints, reading_lints, schema_lints
from roas_contracts.gate.lints import LINTS, OF_A_CHANGE, OF_A_SCHEMA
from roas_contracts.gate.schema_tree import tree_of

MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
DATE = {"type": "int", "logicalType": "date"}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def enum(*symbols: str, name: str = "Kind", default: str = "UNKNOWN") -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": ["UNKNOWN", *symbols], "default": default}


def record(*fields: Any, name: str = "Event", namespace: str = "ours") -> dict[str, Any]:
    """A record of one field x, or of the fields that are given as objects."""
    return {
        "type": "record",
        "name": name,
        "namespace": namespace,
        "doc": "An event.",
        "fields": [
            f if isinstance(f, dict) and "doc" in f else {"name": "x", "type": f, "doc": "X."}
            for f in fields
        ],
    }


def x(schema_type: Any, **more: Any) -> dict[str, Any]:
    return {"name": "x", "type": schema_type, "doc": "X.", **more}


KEPT = {"name": "kept", "type": "string", "doc": "Stays."}

CHANGES: list[tuple[str, str, Any, Any, str]] = [
    ("logical-type-changed", "FULL", record(MILLIS), record(MICROS), "millis became timestamp-mic"),
    ("logical-type-changed", "BACKWARD", record(DATE), record(MILLIS), "date became timestamp-mil"),
    ("logical-type-changed", "FULL", record(["null", MILLIS]), record(["null", MICROS]), "micros"),
    (
        "logical-type-changed",
        "FULL",
        record({"type": "array", "items": MILLIS}),
        record({"type": "array", "items": MICROS}),
        "micros",
    ),
    (
        "bytes-string-changed",
        "FULL",
        record(["null", "int", "bytes"]),
        record(["null", "int", "string"]),
        "bytes became string",
    ),
    ("logical-type-dropped", "FULL", record(MILLIS), record("long"), "became a bare long"),
    ("logical-type-dropped", "FULL", record(decimal(9, 2)), record("bytes"), "a bare bytes"),
    ("logical-type-added", "FULL", record("long"), record(MILLIS), "a bare long became"),
    ("decimal-changed", "FULL", record(decimal(9, 2)), record(decimal(9, 4)), "(9, 2) became"),
    ("decimal-changed", "FULL", record(decimal(9, 2)), record(decimal(18, 2)), "became decimal(18"),
    ("bytes-string-changed", "FULL", record("bytes"), record("string"), "bytes became string"),
    ("bytes-string-changed", "FULL", record("string"), record("bytes"), "string became bytes"),
    ("precision-lost", "BACKWARD", record("long"), record("double"), "long became double"),
    ("precision-lost", "FORWARD", record("double"), record("long"), "double became long"),
    (
        "namespace-changed",
        "FULL",
        record("string"),
        record("string", namespace="theirs"),
        "ours.Event became theirs.Event",
    ),
    (
        "namespace-changed",
        "FULL",
        record(enum("A", name="ours.Kind")),
        record(enum("A", name="theirs.Kind")),
        "ours.Kind became theirs.Kind",
    ),
    (
        "type-renamed",
        "BACKWARD",
        record("string"),
        {**record("string", name="Happening"), "aliases": ["Event"]},
        "ours.Event became ours.Happening",
    ),
    (
        "field-renamed",
        "FULL",
        record(KEPT, x("string", default="")),
        record(KEPT, {**x("string", default=""), "name": "y", "aliases": ["x"]}),
        "x became y",
    ),
    ("field-removed", "FULL", record(KEPT, x("int", default=0)), record(KEPT), "x is gone"),
    (
        "default-changed",
        "FULL",
        record(x("int", default=0)),
        record(x("int", default=1)),
        "0 became 1",
    ),
    (
        "enum-default-changed",
        "FULL",
        record(enum("A")),
        record(enum("A", default="A")),
        "UNKNOWN became A",
    ),
    ("enum-symbol-removed", "FULL", record(enum("A", "B")), record(enum("A")), "B is gone"),
]


@pytest.mark.parametrize(("lint", "mode", "old", "new", "said"), CHANGES)
def test_a_change_that_avro_allows_is_refused(
    lint: str, mode: str, old: Any, new: Any, said: str
) -> None:
    new_schema, old_schema = (parse_schema(json.dumps(each)) for each in (new, old))
    assert check_mode(mode, new_schema, [old_schema]) == []
    found = list(evolution_lints.objections(tree_of(new), tree_of(old)))
    assert [each.lint for each in found] == [lint]
    assert said in found[0].what


GOOD_CHANGES = [
    (record(enum("A")), record(enum("A", "B"))),
    (record("int"), record("long")),
    (record("float"), record("double")),
    (record(KEPT), record(KEPT, x("int", default=0))),
    (record(MILLIS), record(["null", MILLIS])),
    (record(x("int", doc="Old.")), record(x("int", doc="Better."))),
    (record(x("int")), record(x("int", default=0))),
]


@pytest.mark.parametrize(("old", "new"), GOOD_CHANGES)
def test_a_harmless_change_is_let_through(old: Any, new: Any) -> None:
    assert list(evolution_lints.objections(tree_of(new), tree_of(old))) == []


def test_a_type_inside_itself_is_compared_once() -> None:
    def tree(item: Any) -> Any:
        return record(item, {"name": "next", "type": ["null", "Event"], "doc": "N."})

    found = list(evolution_lints.objections(tree_of(tree(MICROS)), tree_of(tree(MILLIS))))
    assert [(each.lint, each.at) for each in found] == [("logical-type-changed", "x")]


SCHEMAS: list[tuple[str, Any, str]] = [
    ("unknown-attribute", record(x("int", defualt=0)), "'defualt'"),
    ("unknown-attribute", record(x("long", logicalType="timestamp-millis")), "inside the type's"),
    ("unknown-attribute", record({"type": "map", "items": "int", "values": "int"}), "'items'"),
    ("logical-type-ignored", record({**MILLIS, "type": "string"}), "belongs on long"),
    ("logical-type-ignored", record({**MILLIS, "logicalType": "timestamp-milis"}), "milis"),
    ("logical-type-ignored", record(decimal(2, 4)), "precision"),
    ("no-doc", {**record("int"), "doc": ""}, "nothing about itself"),
    ("no-doc", record(x("int") | {"doc": " "}), "no doc"),
    ("enum-without-unknown", record(enum("A", default="A")), "no default UNKNOWN"),
    (
        "enum-without-unknown",
        record({"type": "enum", "name": "Kind", "symbols": ["A"], "default": "A"}),
        "no symbol UNKNOWN",
    ),
    ("nullable-without-null-default", record(["null", "int"]), "no default"),
    ("nullable-without-null-default", record(x(["int", "null"], default=0)), "another default"),
    ("not-writable", record({"type": "fixed", "name": "F", "size": 4}), "fixed"),
    ("not-writable", record(["int", "string"]), "union of int and string"),
    ("time-without-logical-type", record({**x("long"), "name": "created_at"}), "a bare long"),
    ("time-without-logical-type", record({**x("int"), "name": "click_time"}), "a bare int"),
    ("time-not-millis", record(MICROS), "timestamp-micros"),
    ("time-not-millis", record(DATE), "date"),
    ("money-not-long-micros", record({**x("double"), "name": "cost"}), "double"),
    ("money-not-long-micros", record({**x("long"), "name": "price"}), "long"),
    ("money-not-long-micros", record(KEPT, {**x("int"), "name": "bid_micros"}), "int"),
    ("money-without-currency", record({**x("long"), "name": "cost_micros"}), "cost_micros"),
    ("id-not-string", record({**x("long"), "name": "user_id"}), "long"),
    ("default-unusable", record(x(enum("A"), default="B")), "no symbol of ours.Kind"),
    ("alias-ambiguous", record(KEPT, x("int", aliases=["kept"])), "is a field's name too"),
]


@pytest.mark.parametrize(("lint", "schema", "said"), SCHEMAS)
def test_a_schema_that_avro_takes_is_refused(lint: str, schema: Any, said: str) -> None:
    parsed, tree = parse_schema(json.dumps(schema)), tree_of(schema)
    everything = [*schema_lints.objections(tree), *reading_lints.objections(tree, parsed)]
    found = [each for each in everything if each.lint == lint]
    assert len(found) == 1
    assert said in found[0].what


def test_every_lint_has_a_case_here_and_a_word_on_why_and_what_instead() -> None:
    assert {lint for lint, *_ in CHANGES} == set(OF_A_CHANGE)
    assert {lint for lint, *_ in SCHEMAS} == set(OF_A_SCHEMA) - {"repeated-key"}
    assert all(lint.why and lint.instead for lint in LINTS.values())


@pytest.fixture()
def contracts(tmp_path: Path) -> PlantedContracts:
    return PlantedContracts(tmp_path)


def test_a_key_that_comes_twice_is_refused(contracts: PlantedContracts) -> None:
    path = contracts.folder / "v1.avsc"
    path.write_text(path.read_text("utf-8").replace("{", '{"doc": "First.",', 1), "utf-8")
    contracts.publish()
    (finding,) = contracts.findings()
    assert (finding.kind, finding.line) == ("repeated-key", 5)


def to_micros(schema: dict[str, Any]) -> None:
    field_of(schema, "event_time")["type"] = {"type": "long", "logicalType": "timestamp-micros"}


WAIVERS = """waivers:
  - lint: {lint}
    at: {at}
    since: {since}
    reason: Nobody has ever read it, as everybody knows.
"""


def waive(contracts: PlantedContracts, lint: str, at: str, since: int = 2) -> None:
    with (contracts.folder / "subject.yaml").open("a", encoding="utf-8") as file:
        file.write(
            WAIVERS.format(lint=lint, at=at, since=since).removeprefix(
                "waivers:\n" if "waivers:" in contracts_text(contracts) else ""
            )
        )


def contracts_text(contracts: PlantedContracts) -> str:
    return (contracts.folder / "subject.yaml").read_text("utf-8")


def test_a_waiver_lets_one_change_through(contracts: PlantedContracts) -> None:
    contracts.add_version(to_micros)
    assert contracts.kinds() == {"logical-type-changed", "time-not-millis"}
    waive(contracts, "logical-type-changed", "event_time")
    assert contracts.kinds() == {"time-not-millis"}
    waive(contracts, "time-not-millis", "event_time")
    assert contracts.findings() == []


def test_a_waiver_holds_for_later_versions_but_not_for_a_later_change(
    contracts: PlantedContracts,
) -> None:
    contracts.add_version(to_micros)
    waive(contracts, "logical-type-changed", "event_time")
    waive(contracts, "time-not-millis", "event_time")
    third = contracts.schema(2)
    contracts.write_version(3, third)
    contracts.publish()
    assert contracts.kinds() == {"version-without-example"}
    field_of(third, "event_time")["type"]["logicalType"] = "local-timestamp-micros"
    contracts.write_version(3, third)
    contracts.publish()
    assert "logical-type-changed" in contracts.kinds()


@pytest.mark.parametrize(
    ("lint", "at", "kind"),
    [
        ("logical-type-changed", "impression_time", "unused-waiver"),
        ("logical-typ-changed", "event_time", "unknown-lint"),
    ],
)
def test_a_waiver_that_waives_nothing_is_named(
    contracts: PlantedContracts, lint: str, at: str, kind: str
) -> None:
    waive(contracts, lint, at, 1)
    (finding,) = contracts.findings()
    assert (finding.kind, finding.line) == (kind, 19)


def test_a_waiver_needs_a_reason(contracts: PlantedContracts) -> None:
    waive(contracts, "no-doc", "event_time")
    contracts.edit_subject("    reason: Nobody has ever read it, as everybody knows.\n", "")
    (finding,) = contracts.findings()
    assert (finding.kind, finding.at) == ("unreadable", "waivers.0.reason")


def test_the_mode_none_promises_nothing_about_changes(contracts: PlantedContracts) -> None:
    contracts.edit_subject("FULL_TRANSITIVE", "NONE")
    contracts.add_version(lambda schema: without(schema, "currency"))
    assert contracts.kinds() == {"money-without-currency"}
