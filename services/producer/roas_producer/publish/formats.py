"""Which format a file has: said, or told by its name. Never guessed from what is in it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

from roas_contracts.errors import InputError, MisconfigurationError
from roas_producer.lines import Input
from roas_producer.publish.csv_rows import CsvRows
from roas_producer.publish.json_rows import JsonRows
from roas_producer.publish.rows import RowReader


class Format(StrEnum):
    """What a file is."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_BY_SUFFIX: Final = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".parquet": Format.PARQUET,
}
_PARQUET_MAGIC: Final = b"PAR1"


def format_of(path: Path, said: Format | None) -> Format:
    """The format of a file.

    Raises:
        MisconfigurationError: its name does not tell, and nobody said.
    """
    if said is not None:
        return said
    if str(path) == "-":
        raise MisconfigurationError("say what comes on standard input: --format csv or jsonl")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    found = _BY_SUFFIX.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise MisconfigurationError(
            f"the name {path.name} does not tell the format: say --format csv, jsonl or parquet "
            f"(known are {', '.join(_BY_SUFFIX)}, and .gz behind the first four)"
        )
    return found


def reader_of(source: Input, form: Format, delimiter: str | None) -> RowReader:
    """The reader of a file.

    Raises:
        InputError: the file is not of this format.
        MisconfigurationError: an option does not go with the format.
    """
    if form is not Format.CSV and delimiter is not None:
        raise MisconfigurationError(f"--delimiter does not go with {form.value}")
    if form is Format.PARQUET:
        if source.path is None:
            raise MisconfigurationError("Parquet cannot be read from standard input")
        # Not at the top: polars takes longer to import than everything else together.
        from roas_producer.publish.parquet_rows import ParquetRows

        return ParquetRows(source)
    _refuse_parquet(source, form)
    if form is Format.JSONL:
        return JsonRows(source)
    tab = source.name.lower().removesuffix(".gz").endswith(".tsv")
    return CsvRows(source, delimiter or ("\t" if tab else ","))


def _refuse_parquet(source: Input, form: Format) -> None:
    if source.path is None:
        return
    try:
        with source.path.open("rb") as file:
            is_parquet = file.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC
    except OSError as error:
        raise InputError(f"{source.name} cannot be read: {error.strerror}") from error
    if is_parquet:
        raise InputError(f"{source.name} is a Parquet file, not {form.value}: --format parquet")
