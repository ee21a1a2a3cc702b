"""Reading the archive: nothing is believed that its checksum does not confirm."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import polars as pl

from roas_contracts.archive.format import SCHEMA, Description, records_sha256
from roas_contracts.archive.layout import SUFFIX, Place, place_of
from roas_contracts.errors import InputError


def places(archive: Path) -> Iterator[Place]:
    """Every file of the archive, in the order of topics, partitions and offsets."""
    found = (
        place_of(PurePosixPath(*path.relative_to(archive).parts))
        for path in archive.glob(f"*/*/*/*{SUFFIX}")
    )
    yield from sorted(place for place in found if place is not None)


def check_file(path: Path, sha256: str) -> None:
    """Whether the file's bytes are those that were written.

    Raises:
        InputError: they are not, or it is not there; names the file.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from error
    if found != sha256:
        raise InputError(
            f"{path} is damaged: its SHA-256 is {found[:12]}…, that of the file that was archived "
            f"is {sha256[:12]}…"
        )


def describe(path: Path) -> Description:
    """What a file says about itself.

    Raises:
        InputError: it can't be read, or is no file of an archive.
    """
    try:
        return Description.from_metadata(pl.read_parquet_metadata(path))
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _damaged(path, error) from error


def load(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """The records of a file, or some of their columns.

    Raises:
        InputError: it can't be read, or its columns are others.
    """
    try:
        frame = pl.read_parquet(path, columns=columns)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, error) from error
    expected = pl.Schema({name: SCHEMA[name] for name in columns or SCHEMA.names()})
    if frame.schema != expected:
        raise InputError(f"{path} has the columns {frame.schema}, expected are {expected}")
    return frame


def load_whole(path: Path, description: Description) -> pl.DataFrame:
    """The records of a file, held against its own checksum; raises as `load`."""
    frame = load(path)
    found = records_sha256(frame)
    if found != description.records_sha256:
        raise InputError(
            f"{path} is damaged: its records have the SHA-256 {found[:12]}…, its description says "
            f"{description.records_sha256[:12]}…"
        )
    return frame


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} can't be read: {' '.join(str(error).split())[:200]}")
