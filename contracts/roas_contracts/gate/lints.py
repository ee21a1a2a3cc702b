"""The lints: what Avro allows and our contracts don't. A name is for ever: waivers use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Lint:
    """Why something is objected to, and what to do instead."""

    why: str
    instead: str


@dataclass(frozen=True, slots=True)
class Objection:
    """A lint that does not like something in one schema."""

    lint: str
    pointer: str
    """Where in the (newer) schema; "" is its top."""
    at: str
    what: str


OF_A_SCHEMA: Final[Mapping[str, Lint]] = {
    "unknown-attribute": Lint(
        "Avro ignores attributes that it does not know, so a misspelt default is no default",
        "correct the key's spelling, or remove it",
    ),
    "repeated-key": Lint(
        "parsers keep the last of two equal keys, silently",
        "remove one of them",
    ),
    "logical-type-ignored": Lint(
        "Avro ignores a logical type that does not fit its type, so readers would see plain values",
        "use a logical type on the type that Avro defines it for, such as timestamp-millis on long",
    ),
    "no-doc": Lint(
        "what is not written down is guessed at by every reader",
        "add a `doc`: what it is, its unit, and when it is absent",
    ),
    "enum-without-unknown": Lint(
        "readers of today could not read a symbol that is added tomorrow: the enum could not grow",
        'give the enum the symbol UNKNOWN and "default": "UNKNOWN"',
    ),
    "nullable-without-null-default": Lint(
        "a field without default can never be left out by a later version, and a default other "
        "than null is taken for a value that somebody sent",
        'declare it as ["null", <type>] with "default": null',
    ),
    "not-writable": Lint(
        "our encoder and the Java encoder write plain types, records, enums, arrays, maps, and "
        "unions of null and one type; nothing else",
        "use separate nullable fields in place of a wider union, bytes in place of fixed",
    ),
    "time-without-logical-type": Lint(
        "readers see a number and have to guess its unit: seconds, milliseconds or microseconds",
        'use {"type": "long", "logicalType": "timestamp-millis"}',
    ),
    "time-not-millis": Lint(
        "every time of ours is milliseconds UTC; another unit would be read as a wrong time",
        'use {"type": "long", "logicalType": "timestamp-millis"}',
    ),
    "money-not-long-micros": Lint(
        "money is integer millionths: floating point loses cents in sums, other units mix up",
        "use a long whose name ends in _micros",
    ),
    "money-without-currency": Lint(
        "an amount without a currency can't be added up",
        "add a string field `currency` (ISO 4217) to the record",
    ),
    "id-not-string": Lint(
        "ids are text: Avazu's exceed a signed long, and others are no numbers at all",
        "use string",
    ),
    "default-unusable": Lint(
        "Avro takes the text for a default, but there is no such value: a reader that needs it "
        "could not read the record",
        "use one of the enum's symbols, as many bytes as the fixed type has, bytes up to \\u00ff",
    ),
    "alias-ambiguous": Lint(
        "readers differ in which of two fields gets the value, and some refuse the schema",
        "give the field an alias that nothing else in the record is called by, or none",
    ),
}
"""Judged by one schema alone."""

OF_A_CHANGE: Final[Mapping[str, Lint]] = {
    "logical-type-changed": Lint(
        "the same number would be read as another time, date or amount, and nothing would fail",
        "keep the field as it is and add a field under another name",
    ),
    "logical-type-dropped": Lint(
        "old readers take the value for what it was, new ones see a bare number",
        "keep the logical type, or add a field under another name",
    ),
    "logical-type-added": Lint(
        "numbers written before would be read as something that nobody wrote",
        "add a field under another name that has the logical type from its first version",
    ),
    "decimal-changed": Lint(
        "a decimal's bytes do not hold its scale: an old 1.00 would be read as 0.01, or 100",
        "keep precision and scale, or add a field under another name",
    ),
    "bytes-string-changed": Lint(
        "bytes that are not UTF-8 can't be read as text: those records would be dead letters",
        "keep the type, or add a field under another name",
    ),
    "precision-lost": Lint(
        "a float or double can't hold every integer: large ids and amounts would change",
        "keep the integer type, or add a field under another name",
    ),
    "namespace-changed": Lint(
        "our decoders check the full name: every record under the other name is a dead letter",
        "keep the namespace; it is part of the name",
    ),
    "type-renamed": Lint(
        "our decoders check the full name, and only readers that have the alias know the old one",
        "keep the name",
    ),
    "field-renamed": Lint(
        "an alias helps readers of the new version only: those of the old one see their default",
        "keep the name, or add a field under the new name and fill both",
    ),
    "field-removed": Lint(
        "readers that still use it would see their default, silently",
        "keep the field; if nobody uses it, waive this with that as the reason",
    ),
    "default-changed": Lint(
        "a record that lacks the field would say one thing to old readers, another to new ones",
        "keep the default",
    ),
    "enum-default-changed": Lint(
        "a symbol that a reader does not know would be taken for another one than before",
        "keep UNKNOWN as the default",
    ),
    "enum-symbol-removed": Lint(
        "records that carry it would be read as the enum's default, silently",
        "keep the symbol; a symbol that is not written any more does no harm",
    ),
}
"""Judged by two versions."""

OF_A_SUBJECT: Final[Mapping[str, Lint]] = {
    "compatibility-weakened": Lint(
        "producers and consumers were released on a promise that would not be kept any more",
        "keep the mode; a change that does not fit it needs a new topic",
    ),
    "partitions-changed": Lint(
        "keys would go to other partitions than before, so the order per key breaks once",
        "keep the number, or say in a waiver how the topic is moved",
    ),
    "cleanup-policy-changed": Lint(
        "compaction removes all but the last record of a key, deletion removes what is old: what "
        "readers rely on would be gone",
        "keep the policy, or say in a waiver why no reader minds",
    ),
    "example-removed": Lint(
        "it was the proof that records of a published version can still be read",
        "keep the example; add others beside it",
    ),
}
"""Judged by subject.yaml on the base branch and now."""

LINTS: Final[Mapping[str, Lint]] = {**OF_A_SCHEMA, **OF_A_CHANGE, **OF_A_SUBJECT}
