"""How many partitions there are is asked again from time to time."""

from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS
from roas_producer.connect import EventPartitions

BEFORE = {AD_IMPRESSIONS: 4, AD_CLICKS: 2, AD_CONVERSIONS: 2}
AFTER = {AD_IMPRESSIONS: 8, AD_CLICKS: 2, AD_CONVERSIONS: 2}


class Broker:
    """Answers like a client; counts how often it was asked."""

    def __init__(self, counts: dict[str, int] | None) -> None:
        self._counts = counts
        self.asked = 0

    def list_topics(self, timeout: float) -> Any:
        self.asked += 1
        if self._counts is None:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        topics = {
            topic: SimpleNamespace(error=None, partitions=dict.fromkeys(range(count)))
            for topic, count in self._counts.items()
        }
        return SimpleNamespace(topics=topics)


def test_added_partitions_are_seen_once_the_answer_is_old() -> None:
    broker: Any = Broker(AFTER)
    young = EventPartitions(broker, BEFORE, seconds=3600)
    assert (young(), broker.asked) == (BEFORE, 0)
    old = EventPartitions(broker, BEFORE, seconds=0)
    assert (old(), broker.asked) == (AFTER, 1)


def test_what_was_known_stays_in_use_while_kafka_is_away() -> None:
    broker: Any = Broker(None)
    assert EventPartitions(broker, BEFORE, seconds=0)() == BEFORE


def test_only_event_topics_get_heartbeats() -> None:
    assert EventPartitions(Any, {**BEFORE, "producer-progress": 1})() == BEFORE  # type: ignore[arg-type]
