"""Who can tell that something is under way: Kafka, the checkpoints' folder, PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as NoAnswer
from pathlib import Path
from typing import Any, Final

import psycopg
from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka import admin as kafka_admin
from confluent_kafka.admin import AdminClient

from roas_chaos.plan import Aim, Target
from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS
from roas_contracts.subjects import load_subjects

EVENT_TOPICS: Final = (AD_IMPRESSIONS, AD_CLICKS, AD_CONVERSIONS)
METRIC_TOPICS: Final = ("ad-metrics-1m", "ad-metrics-5m")

HOLDERS: Final[Mapping[Aim, Target]] = {
    Aim.EVENTS: Target.PRODUCER,
    Aim.METRICS: Target.TASKMANAGER,
    Aim.CHECKPOINT: Target.TASKMANAGER,
    Aim.WRITE: Target.CACHE_WRITER,
}
"""Without whom it can't come to its end: while this process is stopped, it stays under way."""

_ANSWER_SECONDS: Final = 3.0
_LATEST: Final[Any] = vars(kafka_admin)["OffsetSpec"].latest()


class Witnesses:
    """Asks whether something is under way.

    Args:
        environment: the stack's settings of the ledger and of ctr-stream.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._bootstrap = environment["ROAS_LEDGER_KAFKA_BOOTSTRAP"]
        self._dsn = environment["ROAS_LEDGER_POSTGRES_DSN"]
        self._checkpoints = Path(environment["ROAS_CTR_STREAM_CHECKPOINTS"])
        self._admin: AdminClient | None = None
        self._abandoned = self._unfinished_checkpoints()
        self._questions: dict[Aim, Callable[[], str | None]] = {
            Aim.EVENTS: lambda: self._open_transactions(EVENT_TOPICS),
            Aim.METRICS: lambda: self._open_transactions(METRIC_TOPICS),
            Aim.CHECKPOINT: self._running_checkpoint,
            Aim.WRITE: self._open_write,
        }

    def testimony(self, aim: Aim) -> str | None:
        """What a witness says if it is under way; None if it is not or nobody answers."""
        return self._questions[aim]()

    def forget_abandoned_checkpoints(self) -> None:
        """A killed JobManager leaves unfinished checkpoints behind: those are not running."""
        self._abandoned = self._unfinished_checkpoints()

    def _open_transactions(self, topics: Sequence[str]) -> str | None:
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in range(load_subjects()[topic].file.topic.partitions)
        ]
        try:
            committed = self._ends(partitions, IsolationLevel.READ_COMMITTED)
            written = self._ends(partitions, IsolationLevel.READ_UNCOMMITTED)
        except (KafkaException, NoAnswer):
            # A client that has seen a broker die may hold its new leader epochs to be wrong for
            # minutes (UNKNOWN_LEADER_EPOCH); a new one does not.
            self._admin = None
            return None
        if written <= committed:
            return None
        return f"Kafka: {written - committed:,} offsets of {', '.join(topics)} in open transactions"

    def _ends(self, partitions: Sequence[TopicPartition], isolation: IsolationLevel) -> int:
        if self._admin is None:
            quiet = {"log_level": 0, "reconnect.backoff.max.ms": 500}
            self._admin = AdminClient({"bootstrap.servers": self._bootstrap, **quiet})
        asked = self._admin.list_offsets(
            {partition: _LATEST for partition in partitions},
            isolation_level=isolation,
            request_timeout=_ANSWER_SECONDS,
        )
        return sum(answer.result(timeout=_ANSWER_SECONDS).offset for answer in asked.values())

    def _running_checkpoint(self) -> str | None:
        running = self._unfinished_checkpoints() - self._abandoned
        if not running:
            return None
        newest = max(running, key=lambda folder: folder.name)
        return f"the checkpoints' folder: {newest.name} of job {newest.parent.name} is unfinished"

    def _unfinished_checkpoints(self) -> set[Path]:
        return {
            folder
            for folder in self._checkpoints.glob("*/chk-*")
            if not (folder / "_metadata").exists()
        }

    def _open_write(self) -> str | None:
        try:
            with psycopg.connect(self._dsn, autocommit=True, connect_timeout=3) as connection:
                row = connection.execute(
                    "SELECT pid, query FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend' AND backend_xid IS NOT NULL"
                ).fetchone()
        except psycopg.Error:
            return None
        if row is None:
            return None
        statement = " ".join(str(row[1]).split())[:40]
        return f"PostgreSQL: backend {row[0]} has written and not committed (last: {statement})"
