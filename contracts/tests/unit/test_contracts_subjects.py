"""The contract files: closed, complete, and their examples are real records."""

import io
import json
import shutil
from pathlib import Path

import pytest
from fastavro import json_reader, schemaless_writer

from roas_contracts.codec import Codec
from roas_contracts.decoder import Decoder
from roas_contracts.errors import MisconfigurationError
from roas_contracts.rules import Rules
from roas_contracts.subjects import (
    DIRECTORY_VARIABLE,
    Subject,
    contracts_directory,
    load_subject,
    load_subjects,
)
from roas_corpus.earlier_contracts import earlier_contracts
from roas_corpus.records import NOW_MS

EXAMPLES = [
    (subject, example.file, version)
    for subject in load_subjects().values()
    for example in subject.file.examples
    for version in example.versions
]


class OneSchema:
    def __init__(self, text: str) -> None:
        self.text = text

    def schema(self, schema_id: int) -> str:
        return self.text


@pytest.mark.parametrize(
    ("subject", "file", "version"), EXAMPLES, ids=[f"{s.name}-{f}-{v}" for s, f, v in EXAMPLES]
)
def test_an_example_is_read_by_the_newest_and_written_the_same_by_its_own_version(
    subject: Subject, file: str, version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = subject.versions[version - 1]
    one_line = json.dumps(json.loads((subject.directory / file).read_text("utf-8")))
    (datum,) = json_reader(io.StringIO(one_line), schema.parsed)
    out = io.BytesIO()
    schemaless_writer(out, schema.parsed, datum)
    value = b"\0\0\0\0\1" + out.getvalue()

    rules = Rules(group="g")
    event = Decoder(subject.name, OneSchema(schema.text), rules).decode(value, None, NOW_MS)

    newest = Codec.for_topic(subject.name, 1)
    assert type(event) is newest.event_type
    reader = Decoder(subject.name, OneSchema(subject.latest.text), rules)
    assert reader.decode(newest.encode(event), None, NOW_MS) == event
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(earlier_contracts(version, tmp_path / "avro")))
    assert Codec.for_topic(subject.name, 1).encode(event) == value


@pytest.mark.parametrize("subject", load_subjects().values(), ids=lambda s: s.name)
def test_every_version_has_an_example_and_every_example_is_listed(subject: Subject) -> None:
    listed = {example.file for example in subject.file.examples}
    there = {f"examples/{p.name}" for p in (subject.directory / "examples").iterdir()}
    assert listed == there
    shown = {version for example in subject.file.examples for version in example.versions}
    assert shown == {version.number for version in subject.versions}


@pytest.fixture()
def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "avro"
    shutil.copytree(contracts_directory() / "ad-clicks", folder / "ad-clicks")
    return folder


def test_a_good_copy_loads(copied: Path) -> None:
    copy, original = load_subject("ad-clicks", copied), load_subject("ad-clicks")
    assert [v.text for v in copy.versions] == [v.text for v in original.versions]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("owner:", "onwer:", "onwer: there is no such key here: did you mean owner?"),
        ("owner: producer\n", "", "owner: the key is missing"),
        ("partitions: 2", "partitions: 0", "topic.partitions: Input should be greater"),
        ("partitions: 2", "partitions: two", "topic.partitions: Input should be a valid integer"),
        ("  retention_ms", "  retention_sm", "did you mean retention_ms?"),
        ("FULL_TRANSITIVE", "FUL_TRANSITIVE", "compatibility: Input should be"),
        ("cleanup_policy: delete", "cleanup_policy: remove", "topic.cleanup_policy: Input should"),
        ("versions: [1]", "versions: [99]", "examples.0.versions: v99 is not there: there is v1"),
        ("versions: [1]", "version: [1]", "did you mean versions?"),
        ("file: examples/", "file: exmaples/", "examples.0.file: there is no exmaples/"),
        ("owner:", "owner: [", "not YAML"),
        ("description:", "- description:", "not YAML"),
    ],
)
def test_a_mistake_is_named_by_file_and_key(copied: Path, old: str, new: str, said: str) -> None:
    path = copied / "ad-clicks" / "subject.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(MisconfigurationError) as caught:
        load_subjects(copied)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_an_empty_subject_file_is_named(copied: Path) -> None:
    (copied / "ad-clicks" / "subject.yaml").write_text("", "utf-8")
    with pytest.raises(
        MisconfigurationError, match="the file: must have the keys description, owner"
    ):
        load_subjects(copied)


def test_a_missing_subject_file_is_named(copied: Path) -> None:
    (copied / "ad-clicks" / "subject.yaml").unlink()
    with pytest.raises(MisconfigurationError, match=r"subject\.yaml:1: No such file"):
        load_subjects(copied)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", r"v2\.avsc:1: not JSON: "),
        ('{"type": "record",\n"name": nope}', r"v2\.avsc:2: not JSON: "),
        ('{"type": "record", "name": "X"}', "needs fields"),
        ('{"type": "record", "name": "X", "fields": []}', "no fields"),
        ('"string"', "must be a record"),
        ('{"type": "record", "name": "X", "fields": [{"name": "a", "type": "nope"}]}', "nope"),
    ],
)
def test_a_bad_schema_is_named(copied: Path, text: str, said: str) -> None:
    (copied / "ad-clicks" / "v2.avsc").write_text(text, "utf-8")
    with pytest.raises(MisconfigurationError, match=said) as caught:
        load_subjects(copied)
    assert "v2.avsc" in str(caught.value)


def test_versions_have_no_gap(copied: Path) -> None:
    folder = copied / "ad-clicks"
    shutil.copy(folder / "v1.avsc", folder / "v99.avsc")
    with pytest.raises(MisconfigurationError, match="without a gap"):
        load_subjects(copied)


def test_versions_are_in_numeric_order(copied: Path) -> None:
    folder = copied / "ad-clicks"
    for number in range(2, 12):
        shutil.copy(folder / "v1.avsc", folder / f"v{number}.avsc")
    subject = load_subject("ad-clicks", copied)
    assert [version.number for version in subject.versions] == list(range(1, 12))
    assert subject.latest.number == 11


def test_a_stray_file_is_named(copied: Path) -> None:
    (copied / "ad-clicks" / "v1.avsc.bak").write_text("", "utf-8")
    with pytest.raises(MisconfigurationError, match=r"v1\.avsc\.bak"):
        load_subjects(copied)


def test_no_contracts_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(MisconfigurationError, match=DIRECTORY_VARIABLE):
        load_subjects(tmp_path)


def test_a_topic_without_contract_is_named(copied: Path) -> None:
    with pytest.raises(MisconfigurationError, match="'ad-clikcs'.*there are ad-clicks"):
        load_subject("ad-clikcs", copied)


def test_the_variable_points_elsewhere(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(copied))
    assert list(load_subjects()) == ["ad-clicks"]


def test_a_mistake_is_named_by_its_line(copied: Path) -> None:
    path = copied / "ad-clicks" / "subject.yaml"
    text = path.read_text("utf-8").replace("  retention_ms", "  retention_sm")
    line = next(n for n, each in enumerate(text.splitlines(), 1) if "retention_sm" in each)
    path.write_text(text, "utf-8")
    with pytest.raises(MisconfigurationError) as caught:
        load_subjects(copied)
    assert f"{path}:{line}: topic.retention_sm: there is no such key here" in str(caught.value)


def test_a_key_that_comes_twice_is_named(copied: Path) -> None:
    path = copied / "ad-clicks" / "subject.yaml"
    path.write_text("owner: somebody-else\n" + path.read_text("utf-8"), "utf-8")
    with pytest.raises(MisconfigurationError, match=r"subject\.yaml:3: owner: is there twice"):
        load_subjects(copied)
