"""A Kafka record as the ledger sees it."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Partition: TypeAlias = tuple[str, int]
"""Topic and partition number."""


class Record(NamedTuple):
    """One committed record. `timestamp` is epoch milliseconds, -1 where there is none."""

    partition: Partition
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]] | None
    timestamp: int
    timestamp_type: str | None

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return f"{self.partition[0]}/{self.partition[1]}@{self.offset}"
