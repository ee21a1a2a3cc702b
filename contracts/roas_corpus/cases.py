"""A case of the corpus, and how the cases are collected."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from roas_corpus.records import EVENT_MS, NOW_MS, RECORDS, TOPIC_IDS, layout, wire

GROUP = "ctr-stream"

SHOWN = (
    "event_id",
    "source",
    "campaign_id",
    "placement_type",
    "placement_id",
    "banner_pos",
    "device_type",
    "cost_micros",
    "revenue_micros",
    "pricing_model",
)
"""Columns whose decoded values a case states."""


Header: TypeAlias = tuple[str, bytes | None]


class Cases:
    """Collects cases; what each expects is stated by whoever adds it, never computed."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._names: set[str] = set()

    def dead(self, name: str, topic: str, value: bytes | None, reason: str, **more: Any) -> None:
        """A case that must become a dead letter."""
        self._add(name, topic, value, {"outcome": "DEAD", "reason": reason}, **more)

    def event(
        self,
        name: str,
        topic: str,
        value: bytes,
        fields: Mapping[str, Any] | None = None,
        event_time: int = EVENT_MS,
        **more: Any,
    ) -> None:
        """A case that must be read as an event; `fields` are those that differ from RECORDS."""
        record = {**RECORDS[topic], **(fields or {})}
        expected = {
            "outcome": "EVENT",
            "event_time": event_time,
            "fields": {key: record[key] for key in SHOWN if key in record},
        }
        self._add(name, topic, value, expected, **more)

    def heartbeat(self, name: str, topic: str, event_time: int, **more: Any) -> None:
        """A case that must be read as a heartbeat."""
        self._add(name, topic, None, {"outcome": "HEARTBEAT", "event_time": event_time}, **more)

    def skipped(self, name: str, topic: str, value: bytes, **more: Any) -> None:
        """A case that is for another consumer group."""
        self._add(name, topic, value, {"outcome": "SKIPPED"}, **more)

    def record(self, name: str, topic: str, **changed: Any) -> None:
        """A good record with some values changed."""
        self.event(
            name,
            topic,
            wire(TOPIC_IDS[topic], layout(topic, **changed).body()),
            changed,
            changed.get("event_time", EVENT_MS),
        )

    def bad_record(self, name: str, topic: str, reason: str, **changed: Any) -> None:
        """A record that decodes and breaks a rule by these values."""
        self.dead(name, topic, wire(TOPIC_IDS[topic], layout(topic, **changed).body()), reason)

    def _add(
        self,
        name: str,
        topic: str,
        value: bytes | None,
        expect: Mapping[str, Any],
        headers: list[Header] | None = None,
        contracts_version: int | None = None,
    ) -> None:
        if name in self._names:
            raise ValueError(f"two cases are called {name}")
        self._names.add(name)
        self.rows.append(
            {
                "name": name,
                "topic": topic,
                "headers": [[key, None if v is None else v.hex()] for key, v in headers or []],
                "value_hex": None if value is None else value.hex(),
                "now_ms": NOW_MS,
                "group": GROUP,
                **({} if contracts_version is None else {"contracts_version": contracts_version}),
                "expect": dict(expect),
            }
        )
