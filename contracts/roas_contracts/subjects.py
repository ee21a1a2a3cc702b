"""The contracts as files: contracts/avro/<topic>/subject.yaml, vN.avsc and examples.

A topic's subject in the registry is `<topic>-value`. The folder is the whole truth about a topic:
topics and subjects are created from it in every environment.
"""

import functools
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roas_contracts.avro_schema import parse
from roas_contracts.compatibility import CompatibilityMode
from roas_contracts.errors import MisconfigurationError

DIRECTORY_VARIABLE: Final = "ROAS_CONTRACTS_DIR"
"""Environment variable with the folder that holds one folder per topic."""

_VERSION_FILE: Final = re.compile(r"v([1-9][0-9]*)\.avsc")


class _Closed(BaseModel):
    """A misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TopicSettings(_Closed):
    """How the topic is created. `retention_ms` is -1 for "forever"."""

    partitions: int = Field(ge=1)
    replication_factor: int = Field(ge=1)
    min_insync_replicas: int = Field(ge=1)
    retention_ms: int = Field(ge=-1)
    cleanup_policy: Literal["delete", "compact", "compact,delete"]
    max_message_bytes: int = Field(ge=1024)


class Example(_Closed):
    """A file with one record in Avro's JSON encoding, and the schema versions it is valid for."""

    file: str
    versions: list[int] = Field(min_length=1)


class SubjectFile(_Closed):
    """What subject.yaml says."""

    description: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    compatibility: CompatibilityMode = "FULL_TRANSITIVE"
    producers: list[str] = Field(min_length=1)
    consumers: list[str] = Field(min_length=1)
    topic: TopicSettings
    examples: list[Example] = []


@dataclass(frozen=True, slots=True)
class Version:
    """One published version of a schema."""

    number: int
    path: Path
    text: str
    parsed: dict[str, Any]
    """The schema in fastavro's parsed form: named types carry their full names."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One topic and its record type."""

    name: str
    """The topic."""
    directory: Path
    file: SubjectFile
    versions: tuple[Version, ...]

    @property
    def subject(self) -> str:
        """Its name in the schema registry."""
        return f"{self.name}-value"

    @property
    def latest(self) -> Version:
        """The newest version: what this code reads and writes."""
        return self.versions[-1]

    @property
    def record_name(self) -> str:
        """Full name of the record type."""
        return str(self.latest.parsed["name"])


def contracts_directory() -> Path:
    """Where the contracts are: ROAS_CONTRACTS_DIR, else beside this package."""
    configured = os.environ.get(DIRECTORY_VARIABLE)
    return Path(configured) if configured else Path(__file__).resolve().parent.parent / "avro"


def load_subjects(directory: Path | None = None) -> Mapping[str, Subject]:
    """Every subject by its topic's name, in alphabetical order.

    Raises:
        MisconfigurationError: names the file, and the key in it, that is wrong.
    """
    return _load(directory or contracts_directory())


def load_subject(topic: str, directory: Path | None = None) -> Subject:
    """The subject of one topic; raises as `load_subjects`, also for a topic without contract."""
    where = directory or contracts_directory()
    subjects = _load(where)
    if topic not in subjects:
        raise MisconfigurationError(
            f"there is no contract for the topic {topic!r} in {where}: there are "
            + ", ".join(subjects)
        )
    return subjects[topic]


@functools.cache
def _load(directory: Path) -> Mapping[str, Subject]:
    folders = sorted(p for p in directory.glob("*") if p.is_dir() and p.name[0] != ".")
    if not folders:
        raise MisconfigurationError(
            f"no contracts in {directory}: set {DIRECTORY_VARIABLE} to the folder contracts/avro"
        )
    return {folder.name: _load_subject(folder) for folder in folders}


def _load_subject(folder: Path) -> Subject:
    file = _read_subject_file(folder / "subject.yaml")
    numbers: list[int] = []
    for path in sorted(folder.iterdir()):
        match = _VERSION_FILE.fullmatch(path.name)
        if match:
            numbers.append(int(match.group(1)))
        elif path.name not in ("subject.yaml", "examples") and path.name[0] != ".":
            raise MisconfigurationError(f"{path}: neither subject.yaml, vN.avsc nor examples")
    numbers.sort()
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        raise MisconfigurationError(f"{folder}: versions must be v1, v2, … without a gap")
    versions = tuple(_read_version(folder, number) for number in numbers)
    for index, example in enumerate(file.examples):
        if not (folder / example.file).is_file():
            raise MisconfigurationError(
                f"{folder / 'subject.yaml'}: examples.{index}.file: there is no {example.file}"
            )
        if not set(example.versions) <= set(numbers):
            raise MisconfigurationError(
                f"{folder / 'subject.yaml'}: examples.{index}.versions: only "
                f"{numbers} are published"
            )
    return Subject(folder.name, folder, file, versions)


def _read_subject_file(path: Path) -> SubjectFile:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        return SubjectFile.model_validate(content)
    except OSError as error:
        raise MisconfigurationError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MisconfigurationError(f"{path}: not YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'the file'}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        )
        raise MisconfigurationError(f"{path}: {problems}") from error


def _read_version(folder: Path, number: int) -> Version:
    path = folder / f"v{number}.avsc"
    try:
        text = path.read_text("utf-8")
        parsed, _ = parse(json.loads(text))
    except OSError as error:
        raise MisconfigurationError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise MisconfigurationError(f"{path}: not an Avro schema: {error}") from error
    if not isinstance(parsed, dict) or parsed.get("type") != "record":
        raise MisconfigurationError(f"{path}: a topic's schema must be a record")
    if not parsed["fields"]:
        raise MisconfigurationError(f"{path}: a record with no fields")
    return Version(number, path, text, parsed)
