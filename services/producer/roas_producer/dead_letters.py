"""Bad rows as dead letters."""

from __future__ import annotations

from collections.abc import Callable

from roas_contracts.codec import Codec
from roas_contracts.dead_letters import DeadLetterBuilder, FileRow
from roas_contracts.errors import PoisonError
from roas_contracts.events import DEAD_LETTERS
from roas_producer.feed import Record
from roas_producer.rows import BadRow
from roas_producer.version import SERVICE, VERSION


class DeadLetterEncoder:
    """Makes the dead letter records of one file.

    Args:
        file_name: for a person.
        file_sha256: of its content.
        codec: of the topic.
        now_ms: the wall clock.
    """

    def __init__(
        self, file_name: str, file_sha256: str, codec: Codec, now_ms: Callable[[], int]
    ) -> None:
        self._name = file_name
        self._sha256 = file_sha256
        self._codec = codec
        # A file row was read by no consumer group: the service's name takes its place.
        self._builder = DeadLetterBuilder(SERVICE, VERSION, consumer_group=SERVICE)
        self._now_ms = now_ms

    def record(self, row: BadRow) -> Record:
        """The dead letter of a row."""
        letter = self._builder.from_file_row(
            FileRow(self._name, self._sha256, row.line, row.raw),
            PoisonError(row.reason, row.detail),
            stage="parse",
            now_ms=self._now_ms(),
        )
        return Record(DEAD_LETTERS, self._codec.encode(letter), letter.dead_letter_id.encode())
