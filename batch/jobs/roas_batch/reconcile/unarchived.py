"""Events that Kafka has and the archive has not: behind its end, or in a hole of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from roas_batch import STREAM_GROUP
from roas_batch.kafka import LostError
from roas_batch.planning import Range, Span
from roas_batch.reconcile.figures import HOLE, TAIL, FiguresTable
from roas_batch.reconcile.watching import Position, WatchedKafka
from roas_contracts.decoder import Decoder, Schemas
from roas_contracts.errors import PoisonError
from roas_contracts.events import EVENT_TOPICS, AdClick, AdConversion, AdImpression
from roas_contracts.rules import Rules

_EVENTS: Final = (AdImpression, AdClick, AdConversion)
_MS_OF_A_DAY: Final = 86_400_000


class Unarchived:
    """Counts such events of one day.

    Args:
        kafka: where they are.
        schemas: of their writers.
        currency: the reporting currency.
        day: the event day.
        figures: takes them.
    """

    def __init__(
        self,
        kafka: WatchedKafka,
        schemas: Schemas,
        currency: str,
        day: date,
        figures: FiguresTable,
    ) -> None:
        rules = Rules(group=STREAM_GROUP, currency=currency)
        self._kafka = kafka
        self._figures = figures
        self._decoders = {topic: Decoder(topic, schemas, rules) for topic in EVENT_TOPICS}
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        self._first = int(midnight.timestamp()) * 1000

    def count(
        self,
        ranges: Sequence[Range],
        ends: Mapping[Position, int],
        passed: Mapping[Position, int],
    ) -> dict[Range, int]:
        """Read ranges and count the day's events in them that the stream has passed.

        Args:
            ranges: what is not archived.
            ends: where the archive ends, by partition: a range before it is a hole.
            passed: first offset that the stream has not passed, by partition.

        Returns:
            How many events of the day each range has, passed or not.
        """
        self._figures.forget_unarchived()
        found = {each: 0 for each in ranges}
        for each in ranges:
            at = (each.topic, each.partition)
            what = HOLE if each.from_offset < ends.get(at, 0) else TAIL
            limit = passed.get(at, each.to_offset)
            for messages in self._read(each):
                events = list(self._events(each.topic, messages))
                found[each] += len(events)
                self._figures.add_unarchived(
                    [_row(what, each.topic, event) for offset, event in events if offset < limit]
                )
        self._figures.count_unarchived()
        return found

    def _read(self, each: Range) -> Iterable[list[Any]]:
        try:
            yield from self._kafka.read(
                each.topic, each.partition, Span(each.from_offset, each.to_offset)
            )
        except LostError:  # Deleted meanwhile: the next look does not ask for it.
            return

    def _events(self, topic: str, messages: Iterable[Any]) -> Iterable[tuple[int, Any]]:
        decode: Callable[..., Any] = self._decoders[topic].decode
        for message in messages:
            try:
                # As the archive does: "ahead of the clock" is judged by the record's own time.
                event = decode(message.value(), message.headers(), message.timestamp()[1])
            except PoisonError:
                continue
            if isinstance(event, _EVENTS) and 0 <= event.event_time - self._first < _MS_OF_A_DAY:
                yield message.offset(), event


def _row(what: str, topic: str, event: AdImpression | AdClick | AdConversion) -> tuple[Any, ...]:
    return (
        what,
        topic,
        datetime.fromtimestamp(event.event_time / 1000, UTC),
        event.campaign_id,
        str(event.placement_type),
        event.placement_id,
        event.banner_pos,
        event.device_type,
        0 if isinstance(event, AdConversion) else event.cost_micros,
        event.revenue_micros if isinstance(event, AdConversion) else 0,
    )
