"""What is in a file of the archive."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

import numpy as np
import polars as pl

FORMAT_VERSION: Final = "1"

HEADERS: Final = pl.List(pl.Struct({"name": pl.String, "value": pl.Binary}))

SCHEMA: Final = pl.Schema(
    {
        "offset": pl.Int64(),
        "timestamp": pl.Int64(),  # Milliseconds.
        "timestamp_type": pl.Int8(),  # Kafka's: 0 none, 1 the producer's, 2 the broker's.
        "key": pl.Binary(),
        "value": pl.Binary(),
        "headers": HEADERS,  # In order, repeats kept; null where there are none.
        "schema_id": pl.Int32(),  # Null where the value is not in the wire format.
        "kind": pl.String(),  # `Kind`.
        "reason": pl.String(),  # Of poison: a `DeadLetterReason`.
        "event_day": pl.Date(),  # UTC. Of events, and of poison whose event time is believable.
    }
)
"""Columns of a file, one row per record in the order of offsets."""


class Kind(StrEnum):
    """What a record was judged to be when it was archived, by `roas_contracts.rules`.

    What is too far ahead of the clock is judged by the record's own timestamp: the same record is
    always the same kind.
    """

    EVENT = "event"
    HEARTBEAT = "heartbeat"
    POISON = "poison"
    SKIPPED = "skipped"
    """For another consumer group than ctr-stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a file says about itself, in Parquet's own metadata."""

    topic: str
    topic_id: str
    cluster_id: str
    partition: int
    from_offset: int
    to_offset: int
    """First offset behind the range."""
    records_sha256: str
    schemas: Mapping[int, str]
    """The writers' schemas by their ids in the registry."""

    def as_metadata(self) -> dict[str, str]:
        """As Parquet's key-value metadata."""
        return {
            "roas.format": FORMAT_VERSION,
            "roas.topic": self.topic,
            "roas.topic_id": self.topic_id,
            "roas.cluster_id": self.cluster_id,
            "roas.partition": str(self.partition),
            "roas.from_offset": str(self.from_offset),
            "roas.to_offset": str(self.to_offset),
            "roas.records_sha256": self.records_sha256,
            "roas.schemas": json.dumps(self.schemas, sort_keys=True),
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self:
        """The inverse.

        Raises:
            ValueError: these are not the metadata of a file of this format; says why.
        """
        version = metadata.get("roas.format")
        if version != FORMAT_VERSION:
            raise ValueError(
                "it is no file of an archive"
                if version is None
                else f"its format is {version}, this program reads {FORMAT_VERSION}"
            )
        try:
            schemas: dict[str, str] = json.loads(metadata["roas.schemas"])
            return cls(
                topic=metadata["roas.topic"],
                topic_id=metadata["roas.topic_id"],
                cluster_id=metadata["roas.cluster_id"],
                partition=int(metadata["roas.partition"]),
                from_offset=int(metadata["roas.from_offset"]),
                to_offset=int(metadata["roas.to_offset"]),
                records_sha256=metadata["roas.records_sha256"],
                schemas={int(number): text for number, text in schemas.items()},
            )
        except KeyError as error:
            raise ValueError(f"its description lacks {error}") from None


def records_sha256(records: pl.DataFrame) -> str:
    """SHA-256 of the records as Kafka has them, however the file is packed.

    Column by column: numbers as 64-bit little-endian; bytes as their lengths (-1 for null), then
    the bytes; headers as JSON of those that there are, with the row's number.
    """
    digest = hashlib.sha256()
    for name in ("offset", "timestamp", "timestamp_type"):
        digest.update(records[name].cast(pl.Int64).to_numpy().astype("<i8", copy=False).tobytes())
    for name in ("key", "value"):
        column = records[name]
        sizes = column.bin.size().cast(pl.Int64).fill_null(-1).to_numpy()
        digest.update(sizes.astype("<i8", copy=False).tobytes())
        digest.update(b"".join(column.drop_nulls().to_list()))
    headers = records["headers"]
    for row in np.flatnonzero(headers.is_not_null().to_numpy()):
        items = [
            [header["name"], None if header["value"] is None else header["value"].hex()]
            for header in headers[int(row)].to_list()
        ]
        digest.update(json.dumps([int(row), items]).encode())
    return digest.hexdigest()
