"""What becomes of a record, or a row of a file, that fails.

A dead letter keeps everything: key, value, headers (in order, repeats kept) and timestamp byte for
byte, where it was read, who failed at it and why.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

from roas_contracts import headers as header_names
from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetter, Headers, OriginType

_ID_DIGITS: Final = 32

_TIMESTAMP_TYPES: Final = {1: "CREATE_TIME", 2: "LOG_APPEND_TIME"}
"""confluent-kafka's TIMESTAMP_… constants."""


class ConsumedRecord(header_names.HasHeaders, Protocol):
    """What we need of a `confluent_kafka.Message`."""

    def topic(self) -> str | None:
        """Where it was read."""

    def partition(self) -> int | None:
        """Where it was read."""

    def offset(self) -> int | None:
        """Where it was read."""

    def key(self) -> bytes | None:
        """Its key, as it came."""

    def value(self) -> bytes | None:
        """Its value, as it came."""

    def timestamp(self) -> tuple[int, int]:
        """The kind of timestamp (0 none, 1 create, 2 log append), and milliseconds."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a file: 1-based line (header included), and its bytes without the line end."""

    file_name: str
    file_sha256: str
    line: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class DeadLetterBuilder:
    """Builds the dead letters of one service.

    Args:
        service: the service's name.
        service_version: its version.
        consumer_group: the group that reads; for file rows the service's name.
    """

    service: str
    service_version: str
    consumer_group: str

    def from_record(
        self, record: ConsumedRecord, error: PoisonError, *, stage: str, now_ms: int
    ) -> DeadLetter:
        """The dead letter of a consumed Kafka record.

        Args:
            record: a `confluent_kafka.Message` without an error.
            error: why it failed.
            stage: where in the service: decode, validate, …
            now_ms: the wall clock, milliseconds.
        """
        topic, partition, offset = record.topic(), record.partition(), record.offset()
        if topic is None or partition is None or offset is None:
            raise ValueError("a consumed record has a topic, a partition and an offset")
        timestamp_type, timestamp = record.timestamp()
        known_type = _TIMESTAMP_TYPES.get(timestamp_type)
        headers = header_names.of(record)
        return DeadLetter(
            dead_letter_id=kafka_dead_letter_id(topic, partition, offset, self.consumer_group),
            origin_type=OriginType.KAFKA,
            topic=topic,
            partition=partition,
            offset=offset,
            key=record.key(),
            value=record.value(),
            headers=headers,
            record_timestamp=timestamp if known_type else None,
            timestamp_type=known_type,
            consumer_group=self.consumer_group,
            service=self.service,
            service_version=self.service_version,
            stage=stage,
            reason=error.reason,
            detail=error.detail,
            schema_id=error.schema_id,
            first_failed_at=now_ms,
            failed_at=now_ms,
            attempts=1,
            replay_of=_replay_of(headers),
        )

    def from_file_row(
        self, row: FileRow, error: PoisonError, *, stage: str, now_ms: int
    ) -> DeadLetter:
        """The dead letter of a row of a file; arguments as for `from_record`."""
        return DeadLetter(
            dead_letter_id=file_dead_letter_id(row.file_sha256, row.line, self.consumer_group),
            origin_type=OriginType.FILE,
            file_name=row.file_name,
            file_sha256=row.file_sha256,
            line=row.line,
            value=row.raw,
            consumer_group=self.consumer_group,
            service=self.service,
            service_version=self.service_version,
            stage=stage,
            reason=error.reason,
            detail=error.detail,
            first_failed_at=now_ms,
            failed_at=now_ms,
            attempts=1,
        )


def kafka_dead_letter_id(topic: str, partition: int, offset: int, consumer_group: str) -> str:
    """Id of the failure of one consumer group at one position: 32 hexadecimal digits."""
    return _dead_letter_id("KAFKA", topic, partition, offset, consumer_group)


def file_dead_letter_id(file_sha256: str, line: int, consumer_group: str) -> str:
    """Id of the failure at one line of one file (1-based, header included)."""
    return _dead_letter_id("FILE", file_sha256, line, consumer_group)


def _dead_letter_id(*parts: str | int) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:_ID_DIGITS]


def _replay_of(headers: Headers) -> str | None:
    """Lenient: a header that is damaged too must not keep a dead letter from being written."""
    value = header_names.last(headers, header_names.REPLAY_OF)
    return value.decode("utf-8", "replace") if value else None
