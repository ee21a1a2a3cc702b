"""A copy of a real contract in which tests plant changes."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from roas_contracts.gate import published
from roas_contracts.gate.checking import check
from roas_contracts.gate.findings import Finding
from roas_contracts.subjects import contracts_directory

TOPIC = "ad-clicks"

_EXAMPLES = ("pay-per-click.json", "external-free.json")

_SUBJECT = """description: Clicks.
owner: producer
compatibility: FULL_TRANSITIVE
producers: [producer, dlq-handler]
consumers: [ctr-stream, batch]
topic:
  partitions: 2
  replication_factor: 3
  min_insync_replicas: 2
  retention_ms: 604800000
  cleanup_policy: delete
  max_message_bytes: 1048576
examples:
  - file: examples/pay-per-click.json
    versions: [1]
  - file: examples/external-free.json
    versions: [1]
"""


class PlantedContracts:
    """The folder of contracts with one topic, which has its first version only."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / "contracts" / "avro"
        self.folder = self.directory / TOPIC
        (self.folder / "examples").mkdir(parents=True)
        for file in ("v1.avsc", *(f"examples/{name}" for name in _EXAMPLES)):
            shutil.copy(contracts_directory() / TOPIC / file, self.folder / file)
        (self.folder / "subject.yaml").write_text(_SUBJECT, "utf-8")
        self.publish()

    def publish(self) -> None:
        """As `contracts publish` does when nothing is found."""
        now = published.versions_in(self.directory)
        published.write(self.directory, {name: published.sha256(now[name]) for name in now})

    def schema(self, version: int = 1) -> dict[str, Any]:
        """A version, decoded."""
        decoded: dict[str, Any] = json.loads((self.folder / f"v{version}.avsc").read_text("utf-8"))
        return decoded

    def write_version(self, number: int, schema: Any) -> None:
        """Write a version's file."""
        (self.folder / f"v{number}.avsc").write_text(json.dumps(schema, indent=2), "utf-8")

    def add_version(self, change: Callable[[dict[str, Any]], None], example: Any = None) -> None:
        """Version 2 is version 1 with a change; it is published and has an example."""
        schema = self.schema()
        change(schema)
        self.write_version(2, schema)
        self.publish()
        path = next(iter(sorted((self.folder / "examples").iterdir())))
        value = json.loads(path.read_text("utf-8")) if example is None else example
        names = {field["name"] for field in schema["fields"]}
        value = {key: each for key, each in value.items() if key in names}
        value |= {key: "x" for key in names - value.keys() if key in required(schema)}
        (self.folder / "examples" / "second.json").write_text(json.dumps(value), "utf-8")
        with (self.folder / "subject.yaml").open("a", encoding="utf-8") as file:
            file.write("  - file: examples/second.json\n    versions: [2]\n")

    def edit_subject(self, old: str, new: str) -> None:
        """Replace a text of subject.yaml that must be there."""
        path = self.folder / "subject.yaml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    def findings(self) -> list[Finding]:
        """What the gate finds without git."""
        return list(check(self.directory).findings)

    def kinds(self) -> set[str]:
        """The kinds of what it finds."""
        return {finding.kind for finding in self.findings()}

    def git(self, *arguments: str) -> str:
        """Run git in the root."""
        identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main")
        done = subprocess.run(
            ["git", *identity, "-C", str(self.root), *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def commit(self, message: str = "more") -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "--no-gpg-sign", "-m", message)


def field_of(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """A field of a record schema."""
    found: dict[str, Any] = next(f for f in schema["fields"] if f["name"] == name)
    return found


def without(schema: dict[str, Any], name: str) -> None:
    """Remove a field."""
    schema["fields"].remove(field_of(schema, name))


def required(schema: dict[str, Any]) -> set[str]:
    """The fields without default."""
    return {field["name"] for field in schema["fields"] if "default" not in field}
