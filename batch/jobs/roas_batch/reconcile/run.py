"""One run of `reconcile` from start to end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from roas_batch.postgres import Connection, translated
from roas_batch.reconcile.comparison import Comparison, Look
from roas_batch.reconcile.corrections import Correction, CorrectionSender
from roas_batch.reconcile.deltas import SIZE_OF_TOPIC
from roas_batch.reconcile.records import Records
from roas_batch.reconcile.watching import WatchedKafka
from roas_contracts.errors import RoasError, TransientError

_ROUND_SECONDS: Final = 1.0
_AT_REST_SECONDS: Final = 4.0
_APPLYING_SECONDS: Final = 30.0
_MOST_CORRECTIONS: Final = 100_000


class TooManyCorrectionsError(RoasError):
    """So much differs that corrections are no answer."""


@dataclass(slots=True)
class Outcome:
    """What a run found, did, and found after it."""

    look: Look
    corrections: int = 0
    before: dict[str, int] = field(default_factory=dict)
    """Differences by cause before this run corrected any; empty where it did not."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON and for batch.reconciliations."""
        look = self.look
        return {
            "day": look.day.isoformat(),
            "verdict": "agrees" if look.agrees else "differs",
            "compared": look.compared,
            "open_events": look.open_events,
            "closed": {size: start.isoformat() for size, start in look.closed.items()},
            "causes": {str(cause): n for cause, n in sorted(look.counter.by_cause.items())},
            "corrections": self.corrections,
            "correctable": len(look.corrections),
            "before": self.before,
            "notes": look.notes,
            "differences": look.counter.first,
        }


class Reconciliation:
    """Compares a day, and corrects it where that is asked for.

    Args:
        connection: to PostgreSQL, for this run alone.
        kafka: Kafka.
        wait_seconds: how long differences have to last before they count.
    """

    def __init__(self, connection: Connection, kafka: WatchedKafka, wait_seconds: float) -> None:
        self._connection = connection
        self._kafka = kafka
        self._wait_seconds = wait_seconds
        self._records = Records(connection)

    def compare(self, comparison: Comparison) -> Outcome:
        """Compare only.

        Raises:
            NothingToCompareError: a comparison of nothing is no success.
            TransientError: something does not answer.
        """
        with translated():
            return self._kept(Outcome(self._settled(comparison)))

    def correct(self, comparison: Comparison, sender: CorrectionSender, day: date) -> Outcome:
        """Compare, correct what can be corrected, and compare again.

        A predecessor that was killed has ended when the sender is open, and the cache writer has
        counted all that it committed before anything is compared: so nothing is corrected twice.

        Raises:
            TransientError: something does not answer, or the cache writer does not come to the
                ends of the metrics topics.
            TooManyCorrectionsError: more differs than corrections are for.
        """
        with translated():
            if not self._records.lock():
                raise TransientError("another `reconcile --correct` is running: try again later")
            sender.open()
            self._wait_for_cache_writer()
            look = self._settled(comparison)
            self._records.settle(day, comparison.deltas.correction_ids)
            corrections = [
                each
                for each in look.corrections
                if each.correction_id not in comparison.deltas.correction_ids
            ]
            if len(corrections) > _MOST_CORRECTIONS:
                raise TooManyCorrectionsError(
                    f"{len(corrections):,} figures of {day} differ: that is no case for "
                    "corrections; find out what the stream or the tables have lost"
                )
            if not corrections:
                return self._kept(Outcome(look))
            self._send(sender, day, corrections)
            before = {str(cause): n for cause, n in sorted(look.counter.by_cause.items())}
            self._wait_for_cache_writer()
            after = self._settled(comparison)
            return self._kept(Outcome(after, len(corrections), before))

    def _send(self, sender: CorrectionSender, day: date, corrections: list[Correction]) -> None:
        self._records.plan(day, corrections)
        sender.send(corrections)
        self._records.committed(corrections)

    def _kept(self, outcome: Outcome) -> Outcome:
        self._records.reconciled(outcome.look.day, outcome.as_dict())
        return outcome

    def _settled(self, comparison: Comparison) -> Look:
        """Look until all agree, until nothing moves, or until the waiting is over."""
        started = time.monotonic()
        mark: object = None
        marked_at = started
        while True:
            round_started = time.monotonic()
            look = comparison.look()
            if look.agrees or round_started - started >= self._wait_seconds:
                return look
            now = (look.passed, look.consumed)
            if now != mark:
                mark, marked_at = now, round_started
            elif round_started - marked_at >= _AT_REST_SECONDS:
                return look
            time.sleep(max(0.0, round_started + _ROUND_SECONDS - time.monotonic()))

    def _wait_for_cache_writer(self) -> None:
        """Until it has counted all that is committed now."""
        ends = {(log.topic, log.partition): log.end for log in self._kafka.logs(SIZE_OF_TOPIC)}
        deadline = time.monotonic() + max(_APPLYING_SECONDS, self._wait_seconds)
        while True:
            rows = self._connection.execute(
                "SELECT topic, partition, next_offset FROM realtime.consumed_offsets"
                " WHERE consumer_group = 'cache-writer'"
            ).fetchall()
            counted = {(topic, partition): offset for topic, partition, offset in rows}
            if all(counted.get(at, 0) >= end for at, end in ends.items()):
                return
            if time.monotonic() > deadline:
                raise TransientError(
                    "cache-writer has not counted all deltas yet: corrections wait for it (those "
                    "that are committed are safe); try again when it is up"
                )
            time.sleep(0.2)
