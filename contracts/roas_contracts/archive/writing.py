"""Writing a file of the archive: all of it or nothing."""

from __future__ import annotations

import hashlib
import io
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from roas_contracts.archive.format import Description
from roas_contracts.archive.layout import UNFINISHED, Place
from roas_contracts.errors import TransientError

_ROWS_OF_A_GROUP: Final = 50_000
_ABANDONED_SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Packed:
    """A file that is ready to be written."""

    place: Place
    content: bytes
    sha256: str


def pack(records: pl.DataFrame, description: Description) -> Packed:
    """The records (columns of `format.SCHEMA`) as the content of a file."""
    buffer = io.BytesIO()
    records.write_parquet(
        buffer,
        compression="zstd",
        compression_level=1,
        row_group_size=_ROWS_OF_A_GROUP,
        metadata=description.as_metadata(),
    )
    content = buffer.getvalue()
    place = Place(
        description.topic,
        description.topic_id,
        description.partition,
        description.from_offset,
        description.to_offset,
    )
    return Packed(place, content, hashlib.sha256(content).hexdigest())


@contextmanager
def staged(archive: Path, packed: Packed) -> Iterator[Path]:
    """Write the file beside its place, on the disk, for `publish` to put it there.

    What is not published is removed again; after a kill, by `remove_abandoned`.

    Raises:
        TransientError: the folder can't be written, such as for want of space.
    """
    target = archive / packed.place.path
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}{UNFINISHED}")
    with _explained(archive):
        target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _explained(archive), unfinished.open("xb") as file:
            file.write(packed.content)
            file.flush()
            os.fsync(file.fileno())
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def publish(archive: Path, packed: Packed, unfinished: Path) -> None:
    """Give a staged file its name; the name is on the disk when this returns.

    Raises:
        TransientError: the folder can't be written.
    """
    target = archive / packed.place.path
    with _explained(archive):
        unfinished.replace(target)
        # The names of new folders have to be on the disk as well.
        for folder in (target.parent, *target.parent.parents):
            _sync_folder(folder)
            if folder == archive:
                break


def remove_abandoned(archive: Path, place: Place) -> None:
    """Remove what a killed writer has left unfinished beside this place, once it is an hour old."""
    folder = (archive / place.path).parent
    for path in folder.glob(f".*{UNFINISHED}"):
        if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(archive: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransientError(
            f"the archive in {archive} can't be written: {error.strerror}"
        ) from error
