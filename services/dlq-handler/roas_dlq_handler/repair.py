"""Repairing a failed record by rules: decode, change, encode, and see that it would pass now."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from roas_contracts import wire
from roas_contracts.avro_reading import UndecodableError
from roas_contracts.avro_writing import compile_writer
from roas_contracts.decoder import Decoder, Schemas
from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetter
from roas_contracts.resolution import UnresolvableError, compile_reader
from roas_contracts.rules import Rules
from roas_contracts.subjects import Subject, load_subject
from roas_dlq_handler.operation import UnchangedError
from roas_dlq_handler.refusals import RefusedError
from roas_dlq_handler.rules_file import FieldCondition, Rule, RulesFile, Step


class SchemaIds(Protocol):
    """`roas_contracts.registry.Registry`, as far as it is needed here."""

    def schema_id(self, topic: str, version: int | None = None) -> int:
        """The registry's id of a version of a topic's schema."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Repaired:
    """A record that would pass now."""

    rule: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    value: bytes


class Repairs:
    """Applies rules to dead letters.

    Args:
        rules: the reviewed file.
        schemas: writer schemas by id.
        registry: ids of our own versions.
        currency: the reporting currency.
        now_ms: the wall clock, milliseconds.

    Raises:
        RefusedError: a rule reads or writes under a version that was never published.
    """

    def __init__(
        self,
        rules: RulesFile,
        topic: str,
        schemas: Schemas,
        registry: SchemaIds,
        currency: str,
        now_ms: Callable[[], int],
    ) -> None:
        self._rules = rules.rules
        self._schemas = schemas
        self._registry = registry
        self._currency = currency
        self._now_ms = now_ms
        self._subject = load_subject(topic)
        self._decoders: dict[str, Decoder] = {}
        self._readers: dict[str, Any] = {}
        self._writers: dict[int, _Writer] = {}
        for rule in self._rules:
            for version in (rule.read_as, rule.encode_as):
                if version is not None:
                    _published(self._subject, version, rule.name)

    def repair(self, letter: DeadLetter) -> Repaired:
        """Repair one dead letter.

        Raises:
            UnchangedError: it stays failed, and why.
            TransientError: its schema can't be had now.
        """
        refusals: list[str] = []
        for rule in self._rules:
            if not _is_about(rule, letter):
                continue
            try:
                before = self._decode(rule, letter)
            except UnchangedError as error:
                refusals.append(str(error))
                continue
            if all(_holds(one, before, name) for name, one in rule.when.fields.items()):
                return self._apply(rule, letter, before)
        if refusals:
            raise UnchangedError(refusals[0])
        raise UnchangedError("no rule matches")

    def _decode(self, rule: Rule, letter: DeadLetter) -> dict[str, Any]:
        if letter.value is None:
            raise UnchangedError("it has no value")
        try:
            if rule.read_as is not None:
                text = _published(self._subject, rule.read_as, rule.name)
            else:
                text = self._schemas.schema(wire.schema_id_of(letter.value))
            datum, end = self._reader(text)(letter.value, wire.HEADER_LENGTH)
        except PoisonError as error:
            raise UnchangedError(error.detail) from None
        except (UndecodableError, UnresolvableError, RecursionError, ValueError) as error:
            raise UnchangedError(f"does not decode: {error}") from None
        if end != len(letter.value):
            raise UnchangedError(f"{len(letter.value) - end} bytes behind the record")
        if not isinstance(datum, dict):
            raise UnchangedError("not a record")
        return datum

    def _reader(self, text: str) -> Any:
        if text not in self._readers:
            schema = json.loads(text)
            self._readers[text] = compile_reader(schema, schema, {})
        return self._readers[text]

    def _apply(self, rule: Rule, letter: DeadLetter, before: dict[str, Any]) -> Repaired:
        after = dict(before)
        for step in rule.steps:
            _take_step(step, after)
        writer = self._writer(rule)
        value = writer.write(after)
        decoder = self._decoders.get(letter.consumer_group)
        if decoder is None:
            rules = Rules(group=letter.consumer_group, currency=self._currency)
            decoder = Decoder(self._subject.name, self._schemas, rules)
            self._decoders[letter.consumer_group] = decoder
        try:
            decoder.decode(value, letter.headers, self._now_ms())
        except PoisonError as error:
            raise UnchangedError(f"would fail again after {rule.name!r}: {error}") from None
        return Repaired(rule.name, before, after, value)

    def _writer(self, rule: Rule) -> _Writer:
        version = rule.encode_as or self._subject.latest.number
        if version not in self._writers:
            schema = self._subject.versions[version - 1].parsed
            schema_id = self._registry.schema_id(self._subject.name, version)
            self._writers[version] = _Writer(schema, schema_id)
        return self._writers[version]


class _Writer:
    """Encodes a datum under one version of ours."""

    def __init__(self, schema: dict[str, Any], schema_id: int) -> None:
        self._fields = schema["fields"]
        self._names = {field["name"] for field in self._fields}
        self._write = compile_writer(schema)
        self._schema_id = schema_id

    def write(self, datum: Mapping[str, Any]) -> bytes:
        unknown = sorted(datum.keys() - self._names)
        if unknown:
            raise UnchangedError(
                f"the schema has no field {unknown[0]!r}: rename or drop it in a step"
            )
        values = []
        for field in self._fields:
            if field["name"] in datum:
                values.append(datum[field["name"]])
            elif "default" in field:
                values.append(field["default"])
            else:
                raise UnchangedError(f"{field['name']} is missing: set it in a step")
        try:
            return wire.pack(self._schema_id, self._write(values))
        except (ValueError, TypeError, AttributeError) as error:
            raise UnchangedError(f"does not fit the schema: {error}") from None


def _published(subject: Subject, version: int, rule: str) -> str:
    if version > len(subject.versions):
        raise RefusedError(
            f"rule {rule!r}: version {version} of {subject.name} was never published (there is "
            f"1 to {len(subject.versions)}): the gate would refuse it"
        )
    return subject.versions[version - 1].text


def _is_about(rule: Rule, letter: DeadLetter) -> bool:
    when = rule.when
    return (
        (not when.topics or letter.topic in when.topics)
        and (not when.reasons or letter.reason in when.reasons)
        and (not when.services or letter.service in when.services)
        and (not when.schema_ids or letter.schema_id in when.schema_ids)
    )


def _holds(condition: FieldCondition, datum: Mapping[str, Any], name: str) -> bool:
    if name not in datum:
        return False
    value = datum[name]
    if condition.is_null is not None and (value is None) != condition.is_null:
        return False
    if "equals" in condition.model_fields_set and value != condition.equals:
        return False
    if condition.matches is not None and not (
        isinstance(value, str) and re.fullmatch(condition.matches, value)
    ):
        return False
    if condition.at_least is None and condition.below is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    number = Decimal(str(value))
    return (condition.at_least is None or number >= condition.at_least) and (
        condition.below is None or number < condition.below
    )


def _take_step(step: Step, datum: dict[str, Any]) -> None:
    if step.set is not None:
        datum[step.set.field] = step.set.value
    elif step.rename is not None:
        datum[step.rename.to] = _taken(datum, step.rename.field)
    elif step.drop is not None:
        _taken(datum, step.drop.field)
    elif step.cast is not None:
        datum[step.cast.field] = _cast(_given(datum, step.cast.field), step.cast.to)
    elif step.multiply is not None:
        name, by = step.multiply.field, step.multiply.by
        datum[name] = _calculated(datum, name, lambda number: number * by)
    elif step.add is not None:
        name, amount = step.add.field, step.add.amount
        datum[name] = _calculated(datum, name, lambda number: number + amount)


def _given(datum: Mapping[str, Any], name: str) -> Any:
    if name not in datum:
        raise UnchangedError(f"it has no field {name!r}")
    return datum[name]


def _taken(datum: dict[str, Any], name: str) -> Any:
    _given(datum, name)
    return datum.pop(name)


def _calculated(
    datum: Mapping[str, Any], name: str, function: Callable[[Decimal], Decimal]
) -> int | float | None:
    value = _given(datum, name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnchangedError(f"{name} is no number: cast it first")
    result = function(Decimal(str(value)))
    return int(result) if result == result.to_integral_value() else float(result)


def _cast(value: Any, to: str) -> Any:
    if value is None:
        return None
    if to == "text":
        return value if isinstance(value, str) else json.dumps(value)
    if to == "boolean":
        known = {"true": True, "1": True, "false": False, "0": False}
        text = str(value).lower()
        if text not in known:
            raise UnchangedError(f"{value!r} is neither true nor false")
        return known[text]
    try:
        number = Decimal(str(value))
        whole = number == number.to_integral_value()
    except InvalidOperation:
        raise UnchangedError(f"{value!r} is no number") from None
    if to == "number":
        return float(number)
    if not whole:
        raise UnchangedError(f"{value!r} is not a whole number")
    return int(number)
