"""Where a file of the archive lies, and what its name says. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

SUFFIX: Final = ".parquet"
UNFINISHED: Final = ".part"
"""Ending of a file that is being written: to be ignored, and to be removed when it is old."""

_NAME: Final = re.compile(r"([0-9]{1,19})-([0-9]{1,19})\.parquet")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One file: topic, Kafka's id of the topic, partition, and offsets [from, to)."""

    topic: str
    topic_id: str
    partition: int
    from_offset: int
    to_offset: int

    def __post_init__(self) -> None:
        if "/" in self.topic_id:
            raise ValueError(f"the topic's id {self.topic_id!r} is no name of a folder")

    @property
    def path(self) -> PurePosixPath:
        """Relative to the archive's folder."""
        # Leading zeros, so that names sort as offsets do.
        name = f"{self.from_offset:019d}-{self.to_offset:019d}{SUFFIX}"
        return PurePosixPath(self.topic, self.topic_id, str(self.partition), name)


def place_of(path: PurePosixPath) -> Place | None:
    """What a relative path says; None where it is no name of the archive's."""
    if len(path.parts) != 4:
        return None
    topic, topic_id, partition, name = path.parts
    match = _NAME.fullmatch(name)
    if match is None or not partition.isascii() or not partition.isdigit():
        return None
    return Place(topic, topic_id, int(partition), int(match[1]), int(match[2]))
