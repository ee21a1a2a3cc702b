"""The bytes of an input: a plain file, a gzip file, or standard input, line by line."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from roas_contracts.errors import InputError

MAX_LINE_BYTES: Final = 1 << 20
"""A longer line is no row: the file is something else."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_HASH_CHUNK: Final = 1 << 20
_BUFFER: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Input:
    """Where rows are read from.

    A file is known by the SHA-256 of its bytes, so a renamed copy is the same input; a stream
    can only be known by the name that it is given.
    """

    name: str
    """Base name, for a person."""
    sha256: str
    """Of the file's bytes as they are stored, or of a stream's declared name; hex."""
    path: Path | None
    """None for standard input."""


def identify(
    path: Path, stream_name: str | None, progressed: Callable[[int], None] = lambda _: None
) -> Input:
    """Find out what input this is; ``-`` is standard input.

    Args:
        path: the file.
        stream_name: name of standard input; it takes the place of a content hash.
        progressed: called with the number of bytes hashed since the last call.

    Raises:
        InputError: the file cannot be read, or standard input has no name.
    """
    if str(path) == "-":
        if not stream_name:
            raise InputError(
                "standard input needs a name, so that a restart is recognised: --input-name NAME"
            )
        digest = hashlib.sha256(stream_name.encode()).hexdigest()
        return Input(stream_name, digest, None)
    sha256 = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_HASH_CHUNK):
                sha256.update(chunk)
                progressed(len(chunk))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    return Input(path.name, sha256.hexdigest(), path)


@contextmanager
def opened(source: Input) -> Iterator[IO[bytes]]:
    """The input's bytes, unpacked where they are gzip (by content, not by name)."""
    try:
        # Standard input by its number and not as sys.stdin, whose lock a thread that waits for
        # input would hold when the interpreter shuts down.
        file = io.FileIO(0 if source.path is None else source.path, closefd=source.path is not None)
    except OSError as error:
        raise InputError(f"{source.name} cannot be read: {error.strerror}") from error
    with io.BufferedReader(file, _BUFFER) as raw:
        if raw.peek(2)[:2] == _GZIP_MAGIC:
            yield io.BufferedReader(gzip.GzipFile(fileobj=raw), _BUFFER)
        else:
            yield raw


def numbered_lines(stream: IO[bytes], file_name: str) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of every line, without its line end (LF or CR LF).

    Raises:
        InputError: a line is absurdly long, or the file is damaged; names the line.
    """
    number = 0
    try:
        while line := stream.readline(MAX_LINE_BYTES):
            number += 1
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                raise InputError(
                    f"{file_name}, line {number}: longer than {MAX_LINE_BYTES} bytes, "
                    "so this is no file of rows"
                )
            yield number, line.rstrip(b"\r\n")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{file_name}, after line {number}: the gzip file is damaged ({error})"
        ) from error
    except OSError as error:
        raise InputError(
            f"{file_name}, after line {number}: cannot be read ({error.strerror})"
        ) from error
