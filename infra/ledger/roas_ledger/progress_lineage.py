"""What the producer says it has sent, against what the topics hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from roas_contracts.decoder import Decoder
from roas_contracts.errors import PoisonError
from roas_contracts.events import ProducerProgress
from roas_ledger.differences import Difference
from roas_ledger.event_lineage import CLICK_TOPIC, CONVERSION_TOPIC, IMPRESSION_TOPIC
from roas_ledger.record import Record

PROGRESS_TOPIC = "producer-progress"
CHECK = "producer"

_FIELDS = {
    IMPRESSION_TOPIC: "impressions",
    CLICK_TOPIC: "clicks",
    CONVERSION_TOPIC: "conversions",
}


_PUBLISHED = "publish"
"""Among a run's options where each row of the input is an event of its own, and is EXTERNAL."""


class ProgressLineage:
    """The newest progress of each input."""

    def __init__(self, decoder: Decoder) -> None:
        self._decode = decoder.decode
        self.inputs: dict[str, ProducerProgress] = {}
        self.unreadable: list[tuple[str, str]] = []

    def feed(self, records: Iterable[Record]) -> None:
        """Take in progress records; the last one of an input counts."""
        for entry in records:
            try:
                record = self._decode(entry.value, entry.headers, entry.timestamp)
            except PoisonError as error:
                self.unreadable.append((entry.place, str(error)))
                continue
            if isinstance(record, ProducerProgress):
                self.inputs[record.input] = record

    def snapshot(self) -> ProgressLineage:
        """What is known now, unmoved by records that are fed later."""
        copy = ProgressLineage.__new__(ProgressLineage)
        copy._decode = self._decode
        copy.inputs = dict(self.inputs)
        copy.unreadable = list(self.unreadable)
        return copy

    def sent(self, *, published: bool) -> dict[str, int]:
        """Events per topic that the producer says it has sent, over all inputs.

        Args:
            published: of people's own files; else of replays and generations.
        """
        inputs = [one for one in self.inputs.values() if _is_published(one) is published]
        return {
            topic: sum(getattr(progress, field) for progress in inputs)
            for topic, field in _FIELDS.items()
        }

    def dead_rows(self) -> int:
        """File rows that the producer says it has dead-lettered."""
        return sum(progress.dead_letters for progress in self.inputs.values())


def compare_progress(
    before: ProgressLineage,
    after: ProgressLineage,
    held: Mapping[str, int],
    external: Mapping[str, int],
    dead_rows: int,
) -> Iterator[Difference]:
    """Differences between the producer's progress and the topics.

    While a producer is running no two topics can be read at the same instant: the topics may
    hold anything from what it said `before` they were read to what it said `after`. For a
    producer at rest the two are the same and the comparison is exact.

    Args:
        held: events of its replays and generations per topic, as found in Kafka.
        external: events of the source EXTERNAL: those that it published, and maybe others'.
        dead_rows: distinct file rows in the dead-letters topic.
    """
    for place, why in after.unreadable:
        yield Difference(
            check=CHECK,
            expected_from="the contract",
            got_from=PROGRESS_TOPIC,
            place=place,
            expected="a progress record",
            got=why,
        )
    for progress in after.inputs.values():
        rows = _rows(progress)
        if progress.rows_read != rows:
            yield Difference(
                check=CHECK,
                expected_from="rows read",
                got_from="impressions + file dead letters",
                place=f"{PROGRESS_TOPIC} {progress.input_name}",
                expected=progress.rows_read,
                got=rows,
            )
    said_before, said_after = before.sent(published=False), after.sent(published=False)
    for topic, count in held.items():
        yield from _outside(
            topic, "events of the producer", said_before[topic], said_after[topic], count
        )
    published = before.sent(published=True)
    for topic, count in external.items():
        # Others may send EXTERNAL events too: there is no upper bound.
        most = max(count, published[topic])
        yield from _outside(topic, "published events", published[topic], most, count)
    yield from _outside(
        "dead-letters", "file rows", before.dead_rows(), after.dead_rows(), dead_rows
    )


def _is_published(progress: ProducerProgress) -> bool:
    try:
        return _PUBLISHED in json.loads(progress.options)
    except (ValueError, TypeError):
        return False


def _rows(progress: ProducerProgress) -> int:
    """How many rows the events and dead letters account for."""
    events = progress.impressions
    if _is_published(progress):
        events += progress.clicks + progress.conversions
    return events + progress.dead_letters


def _outside(place: str, what: str, least: int, most: int, count: int) -> Iterator[Difference]:
    if not least <= count <= most:
        yield Difference(
            check=CHECK,
            expected_from="producer-progress",
            got_from="the records in Kafka",
            place=place,
            measure=what,
            expected=least if least == most else f"{least} to {most}",
            got=count,
        )
