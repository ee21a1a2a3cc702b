"""Whether the archive still is what was archived: checksums, and a sample held against Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from roas_batch.catalog import ArchivedRange
from roas_batch.kafka import Kafka, LostError
from roas_batch.planning import Log
from roas_contracts.archive.format import SCHEMA, records_sha256
from roas_contracts.archive.reading import check_file, describe, load_whole, places
from roas_contracts.errors import InputError

_OF_A_RECORD = ("offset", "timestamp", "timestamp_type", "key", "value", "headers")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one file."""

    file: str
    problem: str | None
    compared: bool
    """Whether Kafka still had its records, and they were asked for and compared."""


class Checker:
    """Checks files of the archive.

    Args:
        archive: the archive's folder.
        kafka: where the records came from.
        progress: told how many files were checked since the last call.
    """

    def __init__(self, archive: Path, kafka: Kafka, progress: Callable[[int], None]) -> None:
        self._archive = archive
        self._kafka = kafka
        self._progress = progress

    def check(
        self,
        ranges: Iterable[ArchivedRange],
        sampled: frozenset[str],
        logs: Callable[[], Iterable[Log]],
    ) -> list[Verdict]:
        """A verdict for each file.

        Args:
            ranges: the files.
            sampled: those whose records are read from Kafka again and compared.
            logs: the topics as they stand; asked for where there is a sample.
        """
        here = {(log.topic, log.topic_id, log.partition): log for log in logs()} if sampled else {}
        verdicts = []
        for each in ranges:
            log = here.get((each.topic, each.topic_id, each.partition))
            there = log is not None and each.span.from_offset >= log.start
            wanted = there and each.file in sampled
            try:
                self._check_file(each)
                compared = wanted and self._compare(each)
                verdicts.append(Verdict(each.file, None, compared))
            except InputError as error:
                verdicts.append(Verdict(each.file, str(error), wanted))
            self._progress(1)
        return verdicts

    def strangers(self, known: set[str]) -> list[str]:
        """Files that the catalog does not know: a run was killed before it said so."""
        return [str(p.path) for p in places(self._archive) if str(p.path) not in known]

    def _check_file(self, each: ArchivedRange) -> None:
        path = self._archive / each.file
        check_file(path, each.file_sha256)
        description = describe(path)
        if description.records_sha256 != each.records_sha256:
            raise InputError(f"{path} describes other records than the catalog")
        load_whole(path, description)

    def _compare(self, each: ArchivedRange) -> bool:
        """Hold a file against Kafka; False where Kafka deletes the records meanwhile."""
        rows: list[tuple[Any, ...]] = []
        try:
            for messages in self._kafka.read(each.topic, each.partition, each.span):
                rows.extend(_row(message) for message in messages)
        except LostError:
            return False
        columns = list(zip(*rows, strict=True)) or [()] * len(_OF_A_RECORD)
        frame = pl.DataFrame(
            [
                pl.Series(name, values, dtype=SCHEMA[name])
                for name, values in zip(_OF_A_RECORD, columns, strict=True)
            ]
        )
        if records_sha256(frame) != each.records_sha256:
            raise InputError(f"{self._archive / each.file} holds other records than Kafka")
        return True


def _row(message: Any) -> tuple[Any, ...]:
    timestamp_type, timestamp = message.timestamp()
    headers = message.headers()
    return (
        message.offset(),
        timestamp,
        timestamp_type,
        message.key(),
        message.value(),
        headers and [{"name": name, "value": value} for name, value in headers],
    )
