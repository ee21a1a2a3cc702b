"""Repairing a failed record by rules: decode, change, encode, and see that it would pass now."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from roas_dlq_handler.rule_steps import holds, is_about, take_step
from roas_dlq_handler.rules_file import Rule, RulesFile


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
            if not is_about(rule, letter):
                continue
            try:
                before = self._decode(rule, letter)
            except UnchangedError as error:
                refusals.append(str(error))
                continue
            if all(holds(one, before, name) for name, one in rule.when.fields.items()):
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
            take_step(step, after)
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
