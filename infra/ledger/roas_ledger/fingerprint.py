"""Whether two records are the same, byte for byte, without keeping the bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from hashlib import blake2b

from roas_contracts.events import DeadLetter
from roas_ledger.record import Record


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hashes of the parts of a record that a dead letter has to keep."""

    key: bytes
    value: bytes
    headers: bytes
    timestamp: bytes

    @classmethod
    def of(
        cls,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes | None]],
        timestamp: int | None,
        timestamp_type: str | None,
    ) -> Fingerprint:
        """The fingerprint of a record's parts."""
        return cls(
            _hash([key]),
            _hash([value]),
            _hash(part for name, content in headers for part in (name.encode(), content)),
            _hash([f"{timestamp} {timestamp_type}".encode()]),
        )

    @classmethod
    def of_record(cls, record: Record) -> Fingerprint:
        """The fingerprint of a record as it was consumed."""
        return cls.of(
            record.key,
            record.value,
            record.headers or (),
            None if record.timestamp_type is None else record.timestamp,
            record.timestamp_type,
        )

    @classmethod
    def of_dead_letter(cls, letter: DeadLetter) -> Fingerprint:
        """The fingerprint of the record that a dead letter says it holds."""
        return cls.of(
            letter.key,
            letter.value,
            letter.headers,
            letter.record_timestamp,
            letter.timestamp_type,
        )

    def differing_parts(self, other: Fingerprint) -> list[str]:
        """Names of the parts that are not the same."""
        return [
            part.name
            for part in fields(self)
            if getattr(self, part.name) != getattr(other, part.name)
        ]


def _hash(parts: Iterable[bytes | None]) -> bytes:
    """Hash byte strings so that no two different sequences look alike."""
    digest = blake2b(digest_size=16)
    for part in parts:
        if part is None:
            digest.update(b"-")
        else:
            digest.update(b"+%d:" % len(part))
            digest.update(part)
    return digest.digest()
