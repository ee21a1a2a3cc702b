"""The read interfaces besides topics: views of PostgreSQL, keys of Redis, as promises.

`contracts/read_interfaces/<name>_v<N>.yaml` says what readers may rely on, one promise a line: a
column and its type, a key and its pattern. More may be offered than is promised; what is promised
stays for as long as the version does. Tests hold the declarations against the real migrations and
the real writer, the gate holds them against what they promised on the base branch.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roas_contracts.errors import MisconfigurationError

DIRECTORY: Final = Path(__file__).resolve().parent.parent / "read_interfaces"


class ReadInterface(BaseModel):
    """One version of one interface."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = Field(min_length=1)
    made_by: str = Field(min_length=1)
    """Folder whose code makes it: its tests hold it against the promises."""
    promises: dict[str, str] = Field(min_length=1)
    """What there is, by its name; the value says of which type or form it is."""


def load_all(directory: Path = DIRECTORY) -> Mapping[str, ReadInterface]:
    """Every declaration by its name; raises as `load`."""
    return {path.stem: load(path.stem, directory) for path in sorted(directory.glob("*.yaml"))}


def load(name: str, directory: Path = DIRECTORY) -> ReadInterface:
    """The declaration of an interface, such as realtime_v1.

    Raises:
        MisconfigurationError: names the file that is missing or wrong.
    """
    path = directory / f"{name}.yaml"
    try:
        return parse(path.read_text("utf-8"))
    except OSError as error:
        raise MisconfigurationError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise MisconfigurationError(f"{path}: {error}") from error


def parse(text: str | bytes) -> ReadInterface:
    """A declaration; raises YAMLError or ValidationError."""
    return ReadInterface.model_validate(yaml.safe_load(text))


def broken_promises(promised: Mapping[str, str], offered: Mapping[str, str]) -> Iterator[str]:
    """What is promised and not offered, or not in that form; what is offered beyond is nobody's."""
    for name, form in promised.items():
        if name not in offered:
            yield f"{name} ({form}) is gone"
        elif offered[name] != form:
            yield f"{name}: {form} became {offered[name]}"
