"""The contracts as files: contracts/avro/<topic>/subject.yaml, vN.avsc and examples.

A topic's subject in the registry is `<topic>-value`. The folder is the whole truth about a topic:
topics and subjects are created from it in every environment.
"""

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roas_contracts.avro_schema import UndefinedNameError, parse
from roas_contracts.compatibility import (
    CompatibilityMode,
    InvalidSchemaError,
    line_of,
    parse_schema,
)
from roas_contracts.errors import MisconfigurationError
from roas_contracts.source_lines import SourceLines
from roas_contracts.yaml_problems import Problem, model_problems, yaml_problem

DIRECTORY_VARIABLE: Final = "ROAS_CONTRACTS_DIR"
"""Environment variable with the folder that holds one folder per topic."""

VERSION_FILE: Final = re.compile(r"v([1-9][0-9]*)\.avsc")
"""Name of a schema version's file."""


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


class Waiver(_Closed):
    """A lint that the gate shall not apply at one place, and why."""

    lint: str
    at: str = Field(min_length=1)
    """The field, type or key, as the gate prints it."""
    since: int = Field(ge=1)
    """The schema version that brought in what is waived."""
    reason: str = Field(min_length=10)


class SubjectFile(_Closed):
    """What subject.yaml says."""

    description: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    compatibility: CompatibilityMode = "FULL_TRANSITIVE"
    producers: list[str] = Field(min_length=1)
    consumers: list[str] = Field(min_length=1)
    topic: TopicSettings
    examples: list[Example] = []
    waivers: list[Waiver] = []


class ContractError(MisconfigurationError):
    """A file of the contracts is wrong; `problems` says where."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = problems
        super().__init__("; ".join(f"{path}:{each.line}: {each}" for each in problems))


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
    return {folder.name: load_folder(folder) for folder in subject_folders(directory)}


def subject_folders(directory: Path) -> list[Path]:
    """The folders of the subjects in alphabetical order.

    Raises:
        MisconfigurationError: there is none.
    """
    folders = sorted(p for p in directory.glob("*") if p.is_dir() and p.name[0] != ".")
    if not folders:
        raise MisconfigurationError(
            f"no contracts in {directory}: set {DIRECTORY_VARIABLE} to the folder contracts/avro"
        )
    return folders


def load_folder(folder: Path) -> Subject:
    """The subject of one folder, read anew.

    Raises:
        ContractError: names the file, line and key that is wrong.
    """
    file = _read_subject_file(folder / "subject.yaml")
    numbers: list[int] = []
    for path in sorted(folder.iterdir()):
        match = VERSION_FILE.fullmatch(path.name)
        if match:
            numbers.append(int(match.group(1)))
        elif path.name not in ("subject.yaml", "examples") and path.name[0] != ".":
            raise _error(path, "neither subject.yaml, vN.avsc nor examples")
    numbers.sort()
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        there = ", ".join(f"v{number}" for number in numbers) or "none"
        raise _error(folder, f"versions must be v1, v2, … without a gap; there are: {there}")
    versions = tuple(_read_version(folder, number) for number in numbers)
    _check_examples(folder, file, numbers)
    return Subject(folder.name, folder, file, versions)


def _check_examples(folder: Path, file: SubjectFile, numbers: Sequence[int]) -> None:
    path = folder / "subject.yaml"
    lines = SourceLines(path.read_text("utf-8"))
    problems = []
    for index, example in enumerate(file.examples):
        at = f"examples.{index}"
        if not (folder / example.file).is_file():
            line = lines.of(("examples", index, "file"))
            problems.append(Problem(line, f"{at}.file", f"there is no {example.file}"))
        if not set(example.versions) <= set(numbers):
            line = lines.of(("examples", index, "versions"))
            absent = ", ".join(f"v{n}" for n in sorted(set(example.versions) - set(numbers)))
            there = ", ".join(f"v{n}" for n in numbers)
            what = f"{absent} is not there: there is {there}"
            problems.append(Problem(line, f"{at}.versions", what))
    if problems:
        raise ContractError(path, problems)


def _read_subject_file(path: Path) -> SubjectFile:
    try:
        text = path.read_text("utf-8")
        content = yaml.safe_load(text)
        lines = SourceLines(text)
        twice = [Problem(line, key, "is there twice") for key, line in lines.repeated_keys()]
        if twice:
            raise ContractError(path, twice)
        return SubjectFile.model_validate(content)
    except OSError as error:
        raise _error(path, str(error.strerror)) from error
    except yaml.YAMLError as error:
        raise ContractError(path, [yaml_problem(error)]) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise _error(path, f"not YAML: {error}") from error
    except ValidationError as error:
        raise ContractError(path, model_problems(error, text, _KEYS)) from error


_KEYS: Final[Mapping[tuple[str, ...], Sequence[str]]] = {
    (): tuple(SubjectFile.model_fields),
    ("topic",): tuple(TopicSettings.model_fields),
    ("examples",): tuple(Example.model_fields),
    ("waivers",): tuple(Waiver.model_fields),
}


def _read_version(folder: Path, number: int) -> Version:
    path = folder / f"v{number}.avsc"
    try:
        text = path.read_text("utf-8")
        parse_schema(text)
        parsed, _ = parse(json.loads(text))
    except OSError as error:
        raise _error(path, str(error.strerror)) from error
    except UnicodeDecodeError as error:
        raise _error(path, f"not UTF-8 at byte {error.start}") from error
    except InvalidSchemaError as error:
        line = error.line or line_of(text, error.path) or 1
        if error.reason.startswith("not JSON"):
            raise _error(path, error.reason, line) from error
        what = f"not an Avro schema: {error.reason}"
        raise ContractError(path, [Problem(line, error.path, what)]) from error
    except json.JSONDecodeError as error:
        raise _error(path, f"not JSON: {error.msg}", error.lineno) from error
    except UndefinedNameError as error:
        line = text.count("\n", 0, max(text.find(f'"{error.simple_name}"'), 0)) + 1
        raise _error(path, str(error), line) from error
    except (ValueError, RecursionError) as error:
        raise _error(path, f"not an Avro schema: {error}") from error
    if not isinstance(parsed, dict) or parsed.get("type") != "record":
        raise _error(path, "a topic's schema must be a record")
    if not parsed["fields"]:
        raise _error(path, "a record with no fields")
    return Version(number, path, text, parsed)


def _error(path: Path, what: str, line: int = 1) -> ContractError:
    return ContractError(path, [Problem(line, "", what)])
