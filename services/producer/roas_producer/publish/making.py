"""From a row of a person's file to an event of the contract, or to a bad row that says why."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final, TypeAlias

from roas_contracts.errors import MisconfigurationError, PoisonError
from roas_contracts.events import (
    TYPE_OF_TOPIC,
    AdClick,
    AdConversion,
    AdImpression,
    DeadLetterReason,
    Source,
)
from roas_contracts.rules import Rules, check
from roas_producer.publish.fields import ATTRIBUTES, ContractField, has_attributes
from roas_producer.publish.mapping import ColumnMapping, MappedField, nearest
from roas_producer.publish.rows import FileRow
from roas_producer.publish.values import converter, is_absent
from roas_producer.rows import BadRow
from roas_producer.version import SERVICE

AdEvent: TypeAlias = AdImpression | AdClick | AdConversion

_MADE_ID_BYTES: Final = 16


class EventMaker:
    """Makes the events of one file.

    Args:
        mapping: of its columns.
        identity: the file's content or, of a stream, its name; ids are made from it.
        currency: the reporting currency.
        now_ms: events later than ten minutes after this are bad rows. The moment of the run's
            first start, so that a restart decides alike.

    Raises:
        MisconfigurationError: a constant of the mapping does not fit its field.
    """

    def __init__(self, mapping: ColumnMapping, identity: str, currency: str, now_ms: int) -> None:
        event_type = TYPE_OF_TOPIC[mapping.event.topic]
        assert event_type in (AdImpression, AdClick, AdConversion)
        self._type: type[Any] = event_type
        self._identity = identity
        self._mapping = mapping
        self._rules = Rules(group=SERVICE, currency=currency)
        self._now_ms = now_ms
        self._always: dict[str, Any] = {**mapping.defaults, "source": Source.EXTERNAL}
        self._fields: list[tuple[str, ContractField, Any]] = []
        self._made: list[str] = []
        for mapped in mapping.fields:
            self._sort_out(mapped)
        self._attributes = mapping.attributes if has_attributes(mapping.event) else ()

    def make(self, row: FileRow) -> AdEvent | BadRow:
        """The event of a row."""
        try:
            return self.event(row)
        except PoisonError as error:
            return BadRow(row.number, error.reason, error.detail, row.raw())

    def event(self, row: FileRow) -> AdEvent:
        """The event of a row.

        Raises:
            PoisonError: it can be none.
        """
        cells = row.cells
        if isinstance(cells, PoisonError):
            raise cells
        values = dict(self._always)
        for column, field, convert in self._fields:
            try:
                cell = cells[column]
            except KeyError:
                values[field.name] = self._absent(field, column, f"{column!r} is missing", cells)
                continue
            if is_absent(cell):
                values[field.name] = self._absent(field, column, f"{column!r} is empty", ())
            elif field.enum is None:
                values[field.name] = convert(cell)
            else:
                values[field.name] = field.enum(convert(cell))
        for name in self._made:
            values[name] = self._made_id(row.number)
        if self._attributes:
            values[ATTRIBUTES] = {
                name: str(cells[column])
                for name, column in self._attributes
                if not is_absent(cells.get(column))
            }
        event: AdEvent = self._type(**values)
        check(event, self._rules, self._now_ms)
        return event

    def _sort_out(self, mapped: MappedField) -> None:
        """What is the same in every row is converted once."""
        field, cell = mapped.field, mapped.cell
        if cell.column is not None:
            self._fields.append((cell.column, field, converter(mapped)))
        elif cell.made is not None:
            self._made.append(field.name)
        else:
            try:
                value = converter(mapped)(cell.constant)
            except PoisonError as error:
                raise MisconfigurationError(f"the mapping: constant: {error.detail}") from error
            self._always[field.name] = field.enum(value) if field.enum is not None else value

    def _absent(self, field: ContractField, column: str, problem: str, present: Any) -> Any:
        if field.required:
            raise PoisonError(
                DeadLetterReason.MISSING_COLUMN,
                f"{field.name}: the column {problem}{nearest(column, present)}",
            )
        if field.default is None and not field.nullable:
            return self._mapping.defaults.get(field.name, self._rules.currency)
        return field.default

    def _made_id(self, number: int) -> str:
        text = f"{self._identity}\n{number}".encode()
        return blake2b(text, digest_size=_MADE_ID_BYTES, person=b"roas-producer-1").hexdigest()


def key_of(event: AdEvent) -> bytes:
    """The record's key: the impression's id, so that what belongs together meets."""
    return (event.event_id if isinstance(event, AdImpression) else event.impression_id).encode()
