"""What a record is: event, heartbeat, poison, or for another group."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from roas_batch import STREAM_GROUP
from roas_contracts import wire
from roas_contracts.archive.format import Kind
from roas_contracts.decoder import SKIPPED, Decoder, Schemas
from roas_contracts.errors import PoisonError
from roas_contracts.events import AdClick, AdConversion, AdImpression, DeadLetterReason
from roas_contracts.headers import HeaderItems
from roas_contracts.heartbeat import Heartbeat
from roas_contracts.rules import Rules

MS_OF_A_DAY: Final = 86_400_000

_EVENTS: Final = (AdImpression, AdClick, AdConversion)

_READABLE: Final = (DeadLetterReason.FOREIGN_CURRENCY, DeadLetterReason.INVALID_FIELD)
"""Reasons that leave a record with an event time that was found believable."""


class Judgement(NamedTuple):
    """What a record is."""

    kind: Kind
    event_day: int | None
    """Days since 1970, UTC."""
    schema_id: int | None
    reason: str | None


class Judge:
    """Judges the records of one topic, as ctr-stream does. Not thread-safe.

    Args:
        topic: the topic.
        schemas: where writers' schemas come from.
        currency: the reporting currency.
    """

    def __init__(self, topic: str, schemas: Schemas, currency: str) -> None:
        self._schemas = _Remembered(schemas)
        self._decoder = Decoder(topic, self._schemas, Rules(group=STREAM_GROUP, currency=currency))

    @property
    def schemas(self) -> Mapping[int, str]:
        """The writers' schemas that were asked for so far, by id."""
        return self._schemas.known

    def judge(
        self, value: bytes | None, headers: HeaderItems, timestamp_ms: int | None
    ) -> Judgement:
        """What a record is.

        Args:
            value: its value.
            headers: its headers, None where there are none.
            timestamp_ms: its timestamp, by which "ahead of the clock" is judged: the stream read
                it then, and the archive must say the same whenever it is written.

        Raises:
            TransientError: the writer's schema can't be had now.
        """
        now_ms = time.time_ns() // 1_000_000 if timestamp_ms is None else timestamp_ms
        try:
            decoded = self._decoder.decode(value, headers, now_ms)
        except PoisonError as error:
            day = None
            if error.reason in _READABLE and value is not None:
                event = self._decoder.read(value)
                assert isinstance(event, _EVENTS)
                day = event.event_time // MS_OF_A_DAY
            return Judgement(Kind.POISON, day, error.schema_id, str(error.reason))
        if decoded is SKIPPED:
            return Judgement(Kind.SKIPPED, None, _schema_id(value), None)
        if isinstance(decoded, Heartbeat):
            return Judgement(Kind.HEARTBEAT, None, None, None)
        assert value is not None
        assert isinstance(decoded, _EVENTS)
        return Judgement(
            Kind.EVENT, decoded.event_time // MS_OF_A_DAY, wire.schema_id_of(value), None
        )


class _Remembered:
    """Schemas, and which were asked for."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self.known: dict[int, str] = {}

    def schema(self, schema_id: int) -> str:
        text = self.known[schema_id] = self._schemas.schema(schema_id)
        return text


def _schema_id(value: bytes | None) -> int | None:
    try:
        return None if value is None else wire.schema_id_of(value)
    except PoisonError:
        return None
