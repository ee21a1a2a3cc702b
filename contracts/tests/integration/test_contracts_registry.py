"""Registration and writer schemas on the real registry: well, away, failing and wiped."""

import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro import json_reader, schemaless_reader, schemaless_writer

from roas_contracts import exit_codes, wire
from roas_contracts.codec import Codec
from roas_contracts.decoder import Decoder, Skipped
from roas_contracts.errors import MisconfigurationError, PoisonError, TransientError
from roas_contracts.events import TYPE_OF_TOPIC, DeadLetterReason
from roas_contracts.gate import published
from roas_contracts.heartbeat import Heartbeat
from roas_contracts.registry import Registry, SchemaSource
from roas_contracts.rules import Rules
from roas_contracts.subjects import (
    DIRECTORY_VARIABLE,
    Subject,
    contracts_directory,
    load_subject,
    load_subjects,
)
from roas_corpus.earlier_contracts import earlier_contracts
from roas_corpus.records import NOW_MS, RECORDS, inline_schemas
from roas_local.components import SchemaRegistry

UNKNOWN = 4711
NOT_AVRO = '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SchemaRegistry]:
    with SchemaRegistry(tmp_path_factory.mktemp("registry")) as started:
        Registry(started.url).register(load_subjects().values())
        yield started


@pytest.fixture()
def client(server: SchemaRegistry) -> Iterator[SchemaRegistryClient]:
    """Confluent's own."""
    with SchemaRegistryClient({"url": server.url}) as opened:
        yield opened


def impatient(server: SchemaRegistry) -> SchemaSource:
    return SchemaSource(Registry(server.url, patience_seconds=0))


def test_registering_again_changes_nothing(
    server: SchemaRegistry, client: SchemaRegistryClient
) -> None:
    first = Registry(server.url).register(load_subjects().values())
    second = Registry(server.url).register(load_subjects().values())

    assert first == second
    assert len({done.schema_id for done in first}) == len(first)
    for subject in load_subjects().values():
        done = [d for d in first if d.topic == subject.name]
        versions = [version.number for version in subject.versions]
        assert [d.version for d in done] == versions
        assert client.get_versions(subject.subject) == versions
        assert client.get_compatibility(subject.subject) == "FULL_TRANSITIVE"
        assert Registry(server.url).schema_id(subject.name) == done[-1].schema_id


EXAMPLES = [
    (subject, example.file, version)
    for subject in load_subjects().values()
    for example in subject.file.examples
    for version in example.versions
]


def comparable(value: Any) -> Any:
    """Confluent's deserializer makes times of longs, our types make text of symbols."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, Mapping):
        return {key: comparable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [comparable(each) for each in value]
    return str(value) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("subject", "file", "version"), EXAMPLES, ids=[f"{s.name}-{f}-v{v}" for s, f, v in EXAMPLES]
)
def test_an_example_is_the_same_to_our_codec_to_fastavro_and_to_confluents_client(
    server: SchemaRegistry,
    client: SchemaRegistryClient,
    subject: Subject,
    file: str,
    version: int,
) -> None:
    text = (subject.directory / file).read_text("utf-8")
    ids = {done.version: done.schema_id for done in Registry(server.url).register([subject])}
    schema, latest = subject.versions[version - 1].parsed, subject.latest.parsed
    (datum,) = json_reader(io.StringIO(json.dumps(json.loads(text))), schema)
    out = io.BytesIO()
    schemaless_writer(out, schema, datum)
    value = wire.pack(ids[version], out.getvalue())

    event = Decoder(subject.name, SchemaSource(server.url), Rules(group="g")).decode(
        value, None, NOW_MS
    )
    assert not isinstance(event, Heartbeat | Skipped)
    ours = dataclasses.asdict(event)
    if "headers" in ours:
        ours["headers"] = [{"name": name, "value": each} for name, each in ours["headers"]]
    context = SerializationContext(subject.name, MessageField.VALUE)
    theirs = AvroDeserializer(client, subject.latest.text)(value, context)
    plain = schemaless_reader(io.BytesIO(out.getvalue()), schema, latest)

    assert comparable(ours) == comparable(plain) == comparable(theirs)
    again = Codec.for_topic(subject.name, ids[subject.latest.number]).encode(event)
    assert comparable(AvroDeserializer(client)(again, context)) == comparable(ours)


def test_an_earlier_release_goes_on_with_its_own_version(
    server: SchemaRegistry,
    client: SchemaRegistryClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = "ad-impressions"
    newest = Registry(server.url).register(load_subjects().values())
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(earlier_contracts(1, tmp_path / "avro")))

    own = next(done for done in newest if (done.topic, done.version) == (topic, 1))
    assert Registry(server.url).schema_id(topic) == own.schema_id
    again = Registry(server.url).register(load_subjects().values())
    assert set(again) < set(newest)
    assert client.get_versions(own.subject) == [1, 2]


def test_a_version_that_is_not_registered_yet_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SchemaRegistry(tmp_path / "registry") as server:
        with monkeypatch.context() as earlier:
            earlier.setenv(DIRECTORY_VARIABLE, str(earlier_contracts(1, tmp_path / "avro")))
            Registry(server.url).register(load_subjects().values())
        with pytest.raises(MisconfigurationError, match=r"version 2 of ad-clicks-value is not"):
            Registry(server.url).schema_id("ad-clicks")
        assert Registry(server.url).schema_id("ad-conversions") > 0


def test_what_confluents_serializer_writes_is_read(
    server: SchemaRegistry, client: SchemaRegistryClient
) -> None:
    topic = "ad-clicks"
    conf = {"auto.register.schemas": False, "use.latest.version": True}
    serialize = AvroSerializer(client, None, conf=conf)
    context = SerializationContext(topic, MessageField.VALUE)
    value = serialize(dict(RECORDS[topic]), context)

    decoder = Decoder(topic, SchemaSource(server.url), Rules(group="g"))
    event = decoder.decode(value, None, NOW_MS)

    assert event == TYPE_OF_TOPIC[topic](**RECORDS[topic])
    codec = Codec.for_topic(topic, Registry(server.url).schema_id(topic))
    assert codec.encode(event) == value
    read = AvroDeserializer(client)(codec.encode(event), context)
    assert read["event_id"] == RECORDS[topic]["event_id"]


def test_a_newer_version_of_another_team_is_read(
    server: SchemaRegistry, client: SchemaRegistryClient
) -> None:
    schema = inline_schemas()[50]
    schema_id = client.register_schema("elsewhere-value", Schema(json.dumps(schema), "AVRO"))
    source = SchemaSource(server.url)
    assert json.loads(source.schema(schema_id))["fields"][-1]["name"] == "auction_id"


def test_a_schema_that_is_not_avro_has_no_text(
    server: SchemaRegistry, client: SchemaRegistryClient
) -> None:
    schema_id = client.register_schema("json-value", Schema(NOT_AVRO, "JSON"))
    assert SchemaSource(server.url).schema(schema_id) == ""
    decoder = Decoder("ad-clicks", SchemaSource(server.url), Rules(group="g"))
    with pytest.raises(PoisonError) as caught:
        decoder.decode(wire.pack(schema_id, b""), None, NOW_MS)
    assert caught.value.reason is DeadLetterReason.WRONG_RECORD_TYPE


@pytest.mark.parametrize("schema_id", [0, UNKNOWN, 2**31 - 1, -1, -(2**31)])
def test_an_unknown_id_is_poison_while_the_registry_is_well(
    server: SchemaRegistry, schema_id: int
) -> None:
    with pytest.raises(PoisonError) as caught:
        impatient(server).schema(schema_id)
    assert caught.value.reason is DeadLetterReason.UNKNOWN_SCHEMA_ID


def test_an_incompatible_version_is_refused_by_file(
    server: SchemaRegistry, client: SchemaRegistryClient, tmp_path: Path
) -> None:
    shutil.copytree(contracts_directory() / "ad-clicks", tmp_path / "ad-clicks")
    published = load_subject("ad-clicks").versions
    schema = json.loads(published[-1].text)
    schema["fields"].append({"name": "required", "type": "string", "doc": "No default."})
    new = tmp_path / "ad-clicks" / f"v{len(published) + 1}.avsc"
    new.write_text(json.dumps(schema), "utf-8")

    with pytest.raises(MisconfigurationError, match=rf"refuses .*{new.name}"):
        Registry(server.url).register([load_subject("ad-clicks", tmp_path)])
    assert client.get_versions("ad-clicks-value") == [v.number for v in published]


def test_an_outage_is_no_poison_and_known_ids_go_on(server: SchemaRegistry) -> None:
    source = impatient(server)
    known = Registry(server.url).schema_id("ad-clicks")
    text = source.schema(known)
    server.kill()
    try:
        with pytest.raises(TransientError, match="does not answer"):
            source.schema(UNKNOWN)
        assert source.schema(known) == text
        with pytest.raises(TransientError):
            impatient(server).schema(known)
    finally:
        server.start()
    assert impatient(server).schema(known) == text
    with pytest.raises(PoisonError):
        source.schema(UNKNOWN)


def test_a_wiped_registry_is_an_outage_until_the_schemas_are_back(tmp_path: Path) -> None:
    directory = tmp_path / "registry"
    with SchemaRegistry(directory) as server:
        registered = Registry(server.url).register(load_subjects().values())
        with pytest.raises(PoisonError):
            impatient(server).schema(UNKNOWN)

        server.stop()
        data = list(directory.glob("schemas*"))
        assert data, "what the registry keeps lies somewhere else now"
        for file in data:
            file.unlink()
        server.start()

        for schema_id in (UNKNOWN, registered[0].schema_id):
            with pytest.raises(TransientError, match="wiped, or the schemas are not registered"):
                impatient(server).schema(schema_id)
        with pytest.raises(MisconfigurationError, match="roas_contracts register"):
            Registry(server.url).schema_id("ad-clicks")

        assert Registry(server.url).register(load_subjects().values()) == registered
        with pytest.raises(PoisonError):
            impatient(server).schema(UNKNOWN)


class _Broken(BaseHTTPRequestHandler):
    """Answers as proxies and failing servers do; the path says how."""

    def do_GET(self) -> None:  # noqa: N802
        status = int(self.path.split("/")[1])
        body = b"<html>no registry</html>" if "html" in self.path else b'{"error_code": 50001}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.mark.parametrize("how", ["200/html", "404/html", "500/json", "503/html", "401/json"])
def test_an_answer_that_is_no_registrys_is_an_outage(how: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Broken) as http:
        threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{http.server_address[1]}/{how}"
        try:
            with pytest.raises(TransientError):
                SchemaSource(Registry(url, patience_seconds=0)).schema(UNKNOWN)
        finally:
            http.shutdown()


def test_a_url_that_is_none_is_named() -> None:
    with pytest.raises(MisconfigurationError, match="registry.example"):
        Registry("registry.example")


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "roas_contracts", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_line_registers(server: SchemaRegistry) -> None:
    done = call("register", "ad-clicks", "dead-letters", "--registry-url", server.url, "--json")
    assert (done.returncode, done.stderr) == (exit_codes.OK, "")
    rows = json.loads(done.stdout)
    assert {row["topic"] for row in rows} == {"ad-clicks", "dead-letters"}
    newest = [row["schema_id"] for row in rows if row["topic"] == "ad-clicks"][-1]
    assert newest == Registry(server.url).schema_id("ad-clicks")


def test_a_registry_that_holds_what_git_holds_is_verified_and_each_difference_is_named(
    tmp_path: Path,
) -> None:
    with SchemaRegistry(tmp_path / "registry") as server:
        url = ("--registry-url", server.url)
        assert call("register", "ad-clicks", *url).returncode == exit_codes.OK
        assert call("verify-registry", "ad-clicks", *url).returncode == exit_codes.OK
        done = call("verify-registry", *url, "--json")
        assert done.returncode == exit_codes.NO
        missing = json.loads(done.stdout)["differences"]
        assert len(missing) == len(load_subjects()) - 1
        assert call("register", *url).returncode == exit_codes.OK
        assert call("verify-registry", *url).returncode == exit_codes.OK

        with SchemaRegistryClient({"url": server.url}) as client:
            client.set_compatibility("ad-clicks-value", "NONE")
            later = json.loads(load_subject("ad-clicks").latest.text)
            later["fields"].append({"name": "later", "type": "int", "default": 0})
            client.register_schema("stranger-value", Schema('"string"', "AVRO"))
            client.register_schema("ad-clicks-value", Schema(json.dumps(later), "AVRO"))
        done = call("verify-registry", *url)
        assert done.returncode == exit_codes.NO
        newest = load_subject("ad-clicks").latest.number
        assert done.stdout.splitlines() == [
            f"ad-clicks-value v{newest + 1}: the registry has it, git does not",
            "ad-clicks-value: the registry's mode is NONE, subject.yaml says FULL_TRANSITIVE",
            "stranger-value: the registry has it, git does not",
        ]


def test_nothing_is_registered_where_the_registry_holds_another_schema(
    server: SchemaRegistry,
    client: SchemaRegistryClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = earlier_contracts(1, tmp_path / "avro")
    (folder / "ad-clicks").rename(folder / "other-clicks")
    versions = published.versions_in(folder)
    published.write(folder, {name: published.sha256(text) for name, text in versions.items()})
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(folder))
    client.register_schema("other-clicks-value", Schema('"string"', "AVRO"))
    before = sorted(client.get_subjects())
    done = call("register", "other-clicks", "ad-metrics-1m", "--registry-url", server.url)
    assert done.returncode == exit_codes.NO
    assert "other-clicks-value v1: the registry holds another schema" in done.stderr
    assert "nothing was registered" in done.stderr
    assert sorted(client.get_subjects()) == before


def test_what_the_gate_refuses_is_not_registered(
    server: SchemaRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = earlier_contracts(1, tmp_path / "avro")
    path = folder / "ad-clicks" / "v1.avsc"
    path.write_text(path.read_text("utf-8").replace("Click id.", "An id."), "utf-8")
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(folder))
    done = call("register", "--registry-url", server.url)
    assert done.returncode == exit_codes.NO
    assert "[edited-version]" in done.stderr
    assert "nothing was registered" in done.stderr


def test_the_command_line_says_that_the_registry_is_away() -> None:
    url = "http://127.0.0.1:9/apis/ccompat/v7"
    done = call("register", "--registry-url", url, "--patience", "0")
    assert done.returncode == exit_codes.UNAVAILABLE
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"Error: the registry at {url} does not answer")


def test_the_command_line_names_an_unknown_topic() -> None:
    done = call("register", "ad-clikcs")
    assert done.returncode == exit_codes.USAGE
    assert "ad-clikcs" in done.stderr


def test_the_command_line_lists_the_contracts() -> None:
    done = call("list", "--json")
    assert done.returncode == exit_codes.OK
    assert [row["topic"] for row in json.loads(done.stdout)] == sorted(TYPE_OF_TOPIC)
    assert "ad-impressions" in call("list").stdout
