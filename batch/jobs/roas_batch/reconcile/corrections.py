"""Corrections: what is wrong in realtime's figures, made good by CORRECTION deltas.

All corrections of a run are one Kafka transaction under one transactional id. Opening it ends a
predecessor: what that had open is aborted or committed when `open` returns, so that reading the
metrics topics to their ends then tells for certain what was corrected before.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from roas_batch import SERVICE
from roas_batch.reconcile.causes import Cause, Cell, Evidence, Figures, Finding, Scope
from roas_contracts import headers
from roas_contracts.codec import Codec
from roas_contracts.errors import FencedError, MisconfigurationError, TransientError
from roas_contracts.events import AdMetric, DeltaKind
from roas_contracts.metric_key import metric_key

_TRANSACTIONAL_ID: Final = "roas-batch-reconcile"
_TIMEOUT_MS: Final = 60_000
_CALL_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 30.0
_FENCED: Final = (
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
)
_MS_OF_SIZE: Final = {"1m": 60_000, "5m": 300_000}

_librdkafka_log = logging.getLogger("roas_batch.librdkafka")


@dataclass(frozen=True, slots=True)
class Correction:
    """One CORRECTION delta: what it adds, and why."""

    correction_id: str
    cell: Cell
    scope: Scope
    cause: Cause
    delta: Figures


def correction_of(day: date, evidence: Evidence, finding: Finding) -> Correction:
    """The correction of a finding that has one.

    Its id is a hash of the place, both figures, and what was corrected there before: the same
    difference again has another id only once the former correction counts.
    """
    assert finding.correction is not None
    cell = evidence.cell
    identity = json.dumps(
        [
            day.isoformat(),
            cell.size,
            cell.window_start,
            cell.dimension,
            cell.value,
            finding.scope,
            finding.expected,
            finding.got,
            evidence.corrected,
        ]
    )
    return Correction(
        hashlib.sha256(identity.encode()).hexdigest()[:32],
        cell,
        finding.scope,
        finding.cause,
        finding.correction,
    )


class CorrectionSender:
    """Sends corrections, as the only one who may.

    Args:
        bootstrap: Kafka's address.
        codecs: of the metrics topics, by window size.
        currency: the reporting currency.
    """

    def __init__(self, bootstrap: str, codecs: dict[str, Codec], currency: str) -> None:
        self._codecs = codecs
        self._currency = currency
        try:
            self._producer = Producer(
                {
                    "bootstrap.servers": bootstrap,
                    "client.id": f"roas-{SERVICE}",
                    "transactional.id": _TRANSACTIONAL_ID,
                    "transaction.timeout.ms": _TIMEOUT_MS,
                    # As the stream's: a series is in one partition, whoever writes.
                    "partitioner": "murmur2_random",
                    "linger.ms": 5,
                    "delivery.report.only.error": True,
                    "logger": _librdkafka_log,
                }
            )
        except KafkaException as error:
            raise MisconfigurationError(
                f"the Kafka settings are not usable (ROAS_BATCH_KAFKA_BOOTSTRAP): {error}"
            ) from error

    def open(self) -> None:
        """Take over from whoever sent before; raises TransientError when Kafka does not answer."""
        self._persist(self._producer.init_transactions)

    def send(self, corrections: Sequence[Correction]) -> None:
        """Send all in one transaction; returns when it is committed.

        Raises:
            TransientError: whether it was committed is to be read from Kafka: the next run does.
            FencedError: another run took over; nothing of this was committed.
        """
        try:
            self._producer.begin_transaction()
            for topic, key, value, its_headers in self._records(corrections):
                while True:
                    try:
                        self._producer.produce(topic, value, key, headers=its_headers)
                        break
                    except BufferError:  # The queue is full: let it drain.
                        self._producer.poll(0.1)
        except KafkaException as error:
            self._abort()
            raise _translated(error.args[0]) from error
        self._persist(self._producer.commit_transaction)

    def _records(
        self, corrections: Iterable[Correction]
    ) -> Iterable[tuple[str, bytes, bytes, Any]]:
        emitted_at = time.time_ns() // 1_000_000
        for each in corrections:
            cell, codec = each.cell, self._codecs[each.cell.size]
            delta = AdMetric(
                dimension=cell.dimension,
                value=cell.value,
                window_start=cell.window_start,
                window_end=cell.window_start + _MS_OF_SIZE[cell.size],
                kind=DeltaKind.CORRECTION,
                currency=self._currency,
                emitted_at=emitted_at,
                **each.delta._asdict(),
            )
            its_headers = [
                (headers.CORRECTION, each.correction_id.encode()),
                (headers.CORRECTION_SCOPE, each.scope.encode()),
            ]
            yield codec.topic, metric_key(cell.dimension, cell.value), codec.encode(
                delta
            ), its_headers

    def _persist(self, call: Callable[[float], object]) -> None:
        """Call until it works, is refused, or patience ends."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                call(_CALL_SECONDS)
                return
            except KafkaException as error:
                problem: KafkaError = error.args[0]
                if problem.retriable() and time.monotonic() < deadline:
                    continue
                if call == self._producer.commit_transaction:
                    self._abort()
                raise _translated(problem) from error

    def _abort(self) -> None:
        with suppress(KafkaException):  # Its successor, or the timeout, does it as well.
            self._producer.abort_transaction(_CALL_SECONDS)


def _translated(problem: KafkaError) -> Exception:
    if problem.code() in _FENCED:
        return FencedError(
            "another run of `reconcile --correct` has taken over: nothing of this one was committed"
        )
    return TransientError(f"Kafka does not answer: {problem.str()}")
