"""The records of an archive, partition by partition, in the order of their offsets."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from roas_contracts.archive.layout import Place
from roas_contracts.archive.reading import describe, load_whole, places
from roas_contracts.errors import InputError
from roas_contracts.events import Headers

Partition: TypeAlias = tuple[str, int]
"""Topic and number."""


class ArchivedRecord(NamedTuple):
    """A Kafka record, in the order of ``Producer.produce``'s arguments."""

    topic: str
    value: bytes | None
    key: bytes | None
    partition: int
    callback: None
    on_delivery: None
    timestamp: int
    headers: list[tuple[str, bytes | None]] | None


@dataclass(frozen=True, slots=True)
class Missing:
    """Offsets [from, to) of a partition that are in no file."""

    topic: str
    partition: int
    from_offset: int
    to_offset: int

    def __str__(self) -> str:
        last = self.to_offset - 1
        return f"{self.topic}[{self.partition}] offsets {self.from_offset} to {last}"


class Archive:
    """The files of some topics.

    Args:
        folder: the archive's.
        topics: which topics; those without a file are left out.
        topic_ids: Kafka's id of a topic, where the archive has several topics of that name.

    Raises:
        InputError: there is none, or it is not clear which of several topics is meant.
    """

    def __init__(self, folder: Path, topics: Sequence[str], topic_ids: Mapping[str, str]) -> None:
        self._folder = folder
        self._places: dict[Partition, list[Place]] = {}
        found = [place for place in places(folder) if place.topic in topics]
        for topic in topics:
            ids = sorted({place.topic_id for place in found if place.topic == topic})
            chosen = topic_ids.get(topic, ids[0] if len(ids) == 1 else None)
            if ids and chosen not in ids:
                raise InputError(
                    f"{folder} has {len(ids)} topics named {topic}, one after the other created "
                    f"anew: choose with --topic-id {topic}=ID, one of {', '.join(ids)}"
                )
            for place in found:
                if place.topic == topic and place.topic_id == chosen:
                    self._places.setdefault((topic, place.partition), []).append(place)
        if not self._places:
            raise InputError(f"{folder} has no file of {', '.join(topics)}")

    @property
    def partitions(self) -> Mapping[Partition, Sequence[Place]]:
        """The files of each partition, by their first offsets."""
        return self._places

    def missing(self) -> list[Missing]:
        """Offsets that are in no file although later ones are."""
        result = []
        for (topic, partition), its in self._places.items():
            position = 0
            for place in its:
                if place.from_offset > position:
                    result.append(Missing(topic, partition, position, place.from_offset))
                position = max(position, place.to_offset)
        return result

    def records(self, partition: Partition) -> Iterator[ArchivedRecord]:
        """A partition's records, each once, from files whose checksums are right.

        Raises:
            InputError: a file is damaged; names it.
        """
        topic, number = partition
        position = 0
        for place in self._places.get(partition, ()):
            path = self._folder / place.path
            frame = load_whole(path, describe(path))
            columns = frame.select("offset", "value", "key", "timestamp", "headers")
            for offset, value, key, timestamp, headers in columns.iter_rows():
                # A killed archiver may leave a file that overlaps with its successor's.
                if offset >= position:
                    position = offset + 1
                    yield ArchivedRecord(
                        topic, value, key, number, None, None, timestamp, _items(headers)
                    )


def in_order_of_sending(
    partitions: Iterable[Iterator[ArchivedRecord]],
) -> Iterator[ArchivedRecord]:
    """All partitions side by side, so that readers see event time move as it once did."""
    return heapq.merge(*partitions, key=lambda record: record.timestamp)


def same(
    record: ArchivedRecord,
    value: bytes | None,
    key: bytes | None,
    timestamp: int,
    headers: Headers,
) -> bool:
    """Whether a record in Kafka is this one."""
    return (value, key, timestamp, headers) == (
        record.value,
        record.key,
        record.timestamp,
        tuple(record.headers or ()),
    )


def _items(headers: list[dict[str, object]] | None) -> list[tuple[str, bytes | None]] | None:
    if headers is None:
        return None
    return [(each["name"], each["value"]) for each in headers]  # type: ignore[misc]
