"""Changes that break somebody, planted in a copy: the gate names place, victims and the way out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted_contracts import PlantedContracts, field_of, without

from roas_contracts.gate import rendering
from roas_contracts.gate.checking import check
from roas_contracts.gate.findings import Finding

Change = Callable[[dict[str, Any]], None]


@pytest.fixture()
def contracts(tmp_path: Path) -> PlantedContracts:
    return PlantedContracts(tmp_path)


def only(contracts: PlantedContracts, kind: str) -> list[Finding]:
    return [finding for finding in contracts.findings() if finding.kind == kind]


def add_required(schema: dict[str, Any]) -> None:
    schema["fields"].append({"name": "pricing", "type": "string", "doc": "How it is charged."})


def add_optional(schema: dict[str, Any]) -> None:
    schema["fields"].append(
        {"name": "pricing", "type": ["null", "string"], "default": None, "doc": "How."}
    )


def set_type(name: str, schema_type: Any) -> Change:
    def change(schema: dict[str, Any]) -> None:
        field_of(schema, name)["type"] = schema_type

    return change


def add_enum_field(schema: dict[str, Any]) -> None:
    """An enum's default is for symbols, the field has none."""
    schema["fields"].append(
        {
            "name": "pricing",
            "type": {
                "type": "enum",
                "name": "Pricing",
                "symbols": ["UNKNOWN", "CPC"],
                "default": "UNKNOWN",
            },
            "doc": "How.",
        }
    )


def rename_record(schema: dict[str, Any]) -> None:
    schema["name"] = "AdTap"


def test_the_copy_is_all_right(contracts: PlantedContracts) -> None:
    assert contracts.findings() == []


def test_an_optional_field_is_all_right_and_either_side_goes_first(
    contracts: PlantedContracts,
) -> None:
    contracts.add_version(add_optional)
    report = check(contracts.directory)
    assert report.findings == ()
    assert [each.sentence for each in report.rollouts] == [
        "ad-clicks v2: producers or consumers may roll out first"
    ]


@pytest.mark.parametrize(
    ("change", "at", "said", "instead"),
    [
        (add_required, "pricing", "pricing is missing there", "give the new field a default"),
        (add_enum_field, "pricing", "default is for symbols", "give the new field a default"),
        (lambda s: without(s, "currency"), "currency", "currency is missing", "keep the field"),
        (
            set_type("cost_micros", "string"),
            "cost_micros",
            "a string can't be read as a long",
            "add one",
        ),
        (set_type("banner_pos", "long"), "banner_pos", "a long can't be read as an int", "add one"),
        (
            set_type("event_id", ["null", "string"]),
            "event_id",
            "null can't be read as a string",
            "add one",
        ),
        (rename_record, "AdClick", "another name", "keep the type's name"),
    ],
    ids=["required", "enum", "removed", "retyped", "widened", "nullable", "renamed"],
)
def test_an_incompatible_version_says_what_to_do(
    contracts: PlantedContracts, change: Change, at: str, said: str, instead: str
) -> None:
    contracts.add_version(change)
    found = only(contracts, "incompatible")
    assert found
    for finding in found:
        assert finding.file == contracts.folder / "v2.avsc"
        assert "consumers (ctr-stream, batch)" in finding.affected
        assert "roll out first" in finding.affected
    assert any(at == f.at and said in f.what and instead in f.instead for f in found), found


def test_a_finding_points_at_the_line(contracts: PlantedContracts) -> None:
    contracts.add_version(set_type("cost_micros", "string"))
    forward, backward = only(contracts, "incompatible")
    lines = (contracts.folder / "v2.avsc").read_text("utf-8").splitlines()
    assert '"type": "string"' in lines[backward.line - 1]
    assert '"name": "cost_micros"' in "".join(lines[forward.line - 1 : forward.line + 1])


@pytest.mark.parametrize(
    ("mode", "change", "first"),
    [
        ("BACKWARD", lambda s: without(s, "currency"), "consumers"),
        ("FORWARD", add_required, "producers"),
        ("NONE", set_type("cost_micros", "string"), "neither"),
        ("FULL", add_optional, "either"),
    ],
)
def test_the_mode_decides_and_the_order_is_said(
    contracts: PlantedContracts, mode: str, change: Change, first: str
) -> None:
    contracts.edit_subject("FULL_TRANSITIVE", mode)
    contracts.add_version(change)
    report = check(contracts.directory)
    assert "incompatible" not in {finding.kind for finding in report.findings}
    assert [each.first for each in report.rollouts] == [first]


def test_a_transitive_mode_looks_behind_the_newest(contracts: PlantedContracts) -> None:
    """v2 makes the field optional to readers, v3 drops it: only v1 still needs it."""
    contracts.edit_subject("FULL_TRANSITIVE", "FORWARD_TRANSITIVE")
    second = contracts.schema()
    field_of(second, "banner_pos")["default"] = 0
    contracts.write_version(2, second)
    third = json.loads(json.dumps(second))
    without(third, "banner_pos")
    contracts.write_version(3, third)
    contracts.publish()
    (finding,) = only(contracts, "incompatible")
    assert (finding.version, finding.at) == (3, "banner_pos")
    assert finding.what.startswith("v1 can't read what v3 writes")

    contracts.edit_subject("FORWARD_TRANSITIVE", "FORWARD")
    assert only(contracts, "incompatible") == []


@pytest.mark.parametrize(
    ("file", "text", "line", "said"),
    [
        ("v2.avsc", '{\n"type": "record",\n"name": oops}', 3, "not JSON"),
        ("v2.avsc", '{"type": "record", "name": "A-B", "fields": []}', 1, ""),
        ("v2.avsc", "[" * 3000, 1, "nested more than 1000 levels"),
        ("v2.avsc", '\n// a comment\n"int"', 2, "not JSON"),
        (
            "v2.avsc",
            '{"type": "record", "name": "R", "fields": [\n{"name": "a", "type": ["null", "E"]},\n'
            '{"name": "b", "type": {"type": "enum", "name": "E", "symbols": ["A"]}}]}',
            2,
            "the type E is used before it is defined",
        ),
        ("subject.yaml", "description: x\nowner: [\n", 3, "not YAML"),
        ("subject.yaml", "- a\n", 1, "must have the keys description, owner"),
    ],
)
def test_a_file_that_is_none_is_named_with_its_line(
    contracts: PlantedContracts, file: str, text: str, line: int, said: str
) -> None:
    (contracts.folder / file).write_text(text, "utf-8")
    report = check(contracts.directory)
    (finding,) = (f for f in report.findings if f.kind == "unreadable")
    assert (finding.file.name, finding.line) == (file, line)
    assert said in finding.what
    assert report.exit_code == 2


def test_what_is_no_text_and_what_is_no_file_is_named(contracts: PlantedContracts) -> None:
    (contracts.folder / "v2.avsc").write_bytes(b"{\xff")
    (finding,) = contracts.findings()
    assert finding.what == "not UTF-8 at byte 1"
    (contracts.folder / "v2.avsc").unlink()
    (contracts.folder / "v2.avsc").mkdir()
    (finding,) = contracts.findings()
    assert (finding.what, finding.unreadable) == ("Is a directory", True)


def test_a_default_that_does_not_fit_is_named_with_its_line(contracts: PlantedContracts) -> None:
    contracts.add_version(lambda s: field_of(s, "banner_pos").update({"default": "zero"}))
    (finding,) = only(contracts, "unreadable")
    lines = (contracts.folder / "v2.avsc").read_text("utf-8").splitlines()
    assert '"default": "zero"' in lines[finding.line - 1]


def test_a_misspelt_key_of_the_subject_is_named_with_its_line(contracts: PlantedContracts) -> None:
    contracts.edit_subject("  retention_ms", "  retention_sm")
    found = only(contracts, "unreadable")
    assert {f.at for f in found} == {"topic.retention_sm", "topic.retention_ms"}
    misspelt = next(f for f in found if f.at == "topic.retention_sm")
    assert misspelt.line == 10


def test_a_gap_in_the_numbers_is_named(contracts: PlantedContracts) -> None:
    contracts.write_version(3, contracts.schema())
    (finding,) = only(contracts, "unreadable")
    assert "without a gap; there are: v1, v3" in finding.what


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e: e.pop("currency"), "the field 'currency' is missing"),
        (lambda e: e.update({"curency": "USD"}), "there is no field 'curency'"),
        (lambda e: e.update({"source": "MARS"}), "no record of the schema"),
        (lambda e: e.update({"banner_pos": 2**40}), "it can't be read"),
    ],
)
def test_an_example_that_is_no_record_is_named(
    contracts: PlantedContracts, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    path = contracts.folder / "examples" / "pay-per-click.json"
    example = json.loads(path.read_text("utf-8"))
    change(example)
    path.write_text(json.dumps(example), "utf-8")
    (finding,) = contracts.findings()
    assert (finding.kind, finding.file) == ("example-does-not-decode", path)
    assert said in finding.what


def test_a_version_needs_an_example_and_an_example_a_place_in_the_list(
    contracts: PlantedContracts,
) -> None:
    contracts.add_version(add_optional)
    contracts.edit_subject("  - file: examples/second.json\n    versions: [2]\n", "")
    assert contracts.kinds() == {"version-without-example", "unlisted-example"}


def test_a_person_reads_what_why_who_and_what_instead(contracts: PlantedContracts) -> None:
    contracts.add_version(add_required)
    shown = rendering.text(check(contracts.directory), contracts.root)
    first = shown.splitlines()[0]
    assert first.startswith("contracts/avro/ad-clicks/v2.avsc:")
    assert first.endswith("ad-clicks v2, pricing [incompatible]")
    for label in ("what:", "why:", "who:", "instead:"):
        assert label in shown
    assert "As it is: producers have to roll out first" in " ".join(shown.split())
    assert "to roll out ad-clicks v2" not in shown


def test_what_others_follow_from_comes_first_and_what_is_left_to_do_last(
    contracts: PlantedContracts,
) -> None:
    contracts.add_version(set_type("cost_micros", "double"))
    contracts.edit_subject("  - file: examples/second.json\n    versions: [2]\n", "")
    kinds = [finding.kind for finding in contracts.findings()]
    assert kinds[0] == "incompatible"
    assert kinds[-2:] == ["version-without-example", "unlisted-example"]
    assert "precision-lost" in kinds[1:-2]


def test_a_workflow_gets_an_annotation_per_finding(contracts: PlantedContracts) -> None:
    contracts.add_version(add_required)
    report = check(contracts.directory)
    (line,) = rendering.github(report, contracts.root).splitlines()
    assert line.startswith("::error file=contracts/avro/ad-clicks/v2.avsc,line=")
    assert "title=ad-clicks v2%2C pricing [incompatible]::what%3A" not in line
    assert "%0Ainstead: give the new field a default" in line


def test_a_script_gets_everything(contracts: PlantedContracts) -> None:
    contracts.add_version(add_required)
    answer = json.loads(rendering.as_json_text(check(contracts.directory), contracts.root))
    assert answer["ok"] is False
    assert answer["rollouts"] == [{"topic": "ad-clicks", "version": 2, "first": "producers"}]
    (finding,) = answer["findings"]
    assert (finding["file"], finding["version"]) == ("contracts/avro/ad-clicks/v2.avsc", 2)
