"""Which dead letters are meant: the filters that every verb has. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from roas_contracts.errors import InputError
from roas_contracts.events import DeadLetterReason, OriginType


class State(StrEnum):
    """What has become of a dead letter."""

    OPEN = "open"
    QUARANTINED = "quarantined"
    REPLAYED = "replayed"
    FIXED = "fixed"
    DISCARDED = "discarded"


UNRESOLVED = (State.OPEN, State.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters: all of those given must hold; of several values of one filter, any."""

    ids: tuple[str, ...] = ()
    """Ids, or beginnings of ids."""
    reasons: tuple[DeadLetterReason, ...] = ()
    topics: tuple[str, ...] = ()
    origin: OriginType | None = None
    groups: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    operation: str | None = None
    """Only those whose state comes from this operation."""
    since: datetime | None = None
    until: datetime | None = None
    key: bytes | None = None
    text: str | None = None
    states: tuple[State, ...] = field(default=UNRESOLVED)

    def where(self) -> tuple[str, list[Any]]:
        """A condition on errors.dead_letters, and its parameters."""
        conditions, parameters = ["true"], list[Any]()

        def add(condition: str, *values: Any) -> None:
            conditions.append(condition)
            parameters.extend(values)

        if self.ids:
            beginnings = ["starts_with(dead_letter_id, %s)"] * len(self.ids)
            add(f"({' OR '.join(beginnings)})", *self.ids)
        for column, values in (
            ("reason", self.reasons),
            ("topic", self.topics),
            ("consumer_group", self.groups),
            ("service", self.services),
            ("state", self.states),
        ):
            if len(values) == 1:
                add(f"{column} = %s", str(values[0]))
            elif values:
                add(f"{column} = ANY (%s::text[])", [str(value) for value in values])
        if self.origin is not None:
            add("origin_type = %s", str(self.origin))
        if self.operation is not None:
            add("operation_id = %s", self.operation)
        if self.since is not None:
            add("failed_at >= %s", self.since)
        if self.until is not None:
            add("failed_at < %s", self.until)
        if self.key is not None:
            add("key = %s", self.key)
        if self.text is not None:
            add(
                "(strpos(lower(detail), lower(%s)) > 0 OR strpos(lower(coalesce(file_name, '')), "
                "lower(%s)) > 0 OR position(%s::bytea IN letter) > 0)",
                self.text,
                self.text,
                self.text.encode(),
            )
        return " AND ".join(conditions), parameters

    def as_dict(self) -> dict[str, Any]:
        """What was asked for, for the audit; empty filters are left out."""
        return {
            name: _plain(value) for name, value in asdict(self).items() if value not in ((), None)
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Selection:
        """The opposite of `as_dict`."""
        known: dict[str, Any] = dict(stored)
        for name, kind in (("reasons", DeadLetterReason), ("states", State)):
            if name in known:
                known[name] = tuple(kind(value) for value in known[name])
        for name in ("ids", "topics", "groups", "services"):
            if name in known:
                known[name] = tuple(known[name])
        for name in ("since", "until"):
            if name in known:
                known[name] = datetime.fromisoformat(known[name])
        if "origin" in known:
            known["origin"] = OriginType(known["origin"])
        if "key" in known:
            known["key"] = bytes.fromhex(known["key"])
        return cls(**known)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [str(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value


def parse_time(option: str, text: str) -> datetime:
    """A time of an option; one without an offset is UTC.

    Raises:
        InputError: it is not a time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option}: {text!r} is not a time such as 2026-01-01T03:00") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def parse_key(text: str) -> bytes:
    """A record's key as text, or as 0x… in hexadecimal digits.

    Raises:
        InputError: 0x is followed by something else.
    """
    if not text.startswith("0x"):
        return text.encode()
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise InputError(f"--key: {text!r} is not hexadecimal") from None
