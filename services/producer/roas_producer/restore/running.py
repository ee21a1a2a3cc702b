"""Sends an archive, or the rest of it, in transactions.

Every transaction is whole or not there, and holds a stretch of one fixed order: whatever was
committed before a kill is a beginning of each partition's records, which the next run finds there.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from confluent_kafka import Producer

from roas_contracts.errors import InputError, MisconfigurationError
from roas_contracts.service.stop import StopSignal
from roas_producer.connect import partition_counts, patiently
from roas_producer.restore.archived import (
    Archive,
    ArchivedRecord,
    in_order_of_sending,
)
from roas_producer.restore.target import retention_ms, skip_what_is_there
from roas_producer.settings import ProducerSettings
from roas_producer.transactions import TransactionalSender, producer_config

_TRANSACTIONAL_ID: Final = "roas-producer-restore"
_AT_ONCE: Final = 1_000

log = structlog.get_logger("roas_producer.restore")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a run has sent, and what was there before, by topic."""

    sent: Counter[str]
    found: Counter[str]
    complete: bool
    """False where it was stopped by a signal: the same command goes on."""


def restore(
    archive: Archive,
    settings: ProducerSettings,
    progress: Callable[[int], None],
    *,
    incomplete: bool,
    even_expired: bool,
) -> Restored:
    """Fill the topics.

    Args:
        archive: what with.
        settings: the deployment's.
        progress: told how many records were committed since the last call.
        incomplete: also where files are missing.
        even_expired: also where Kafka will delete records at once, for their age.

    Raises:
        InputError: files are missing or damaged; what was sent before stays.
        MisconfigurationError: a topic is missing, not empty, or keeps too little.
        TransientError: Kafka is away for too long.
        FencedError: another restore took over.
    """
    missing = archive.missing()
    if missing and not incomplete:
        named = "; ".join(map(str, missing[:5])) + ("; …" if len(missing) > 5 else "")
        raise InputError(
            f"the archive lacks {named}: --incomplete restores what there is (what Kafka deleted "
            "before it was archived is in no archive)"
        )
    producer = Producer(
        producer_config(
            settings.kafka_bootstrap, _TRANSACTIONAL_ID, settings.transaction_timeout_ms
        )
    )
    with StopSignal() as stop:
        sender = TransactionalSender(
            producer,
            settings.transaction_timeout_ms,
            settings.outage_timeout_seconds,
            stop.is_set,
        )
        topics = sorted({topic for topic, _ in archive.partitions})
        counts = patiently(
            settings.startup_timeout_seconds, lambda: partition_counts(producer, topics)
        )
        for topic, number in archive.partitions:
            if number >= counts[topic]:
                raise MisconfigurationError(
                    f"{topic} has {counts[topic]} partitions, the archive has {topic}[{number}]"
                )
        # A predecessor's open transaction is aborted, its last commit is in every partition: what
        # is there now is decided.
        sender.take_over(settings.startup_timeout_seconds)
        found, rests = _rests(archive, counts, settings.kafka_bootstrap)
        if not even_expired:
            rests = [_kept(settings.kafka_bootstrap, rest) for rest in rests]
        sent: Counter[str] = Counter()
        records = in_order_of_sending(rests)
        try:
            while not stop.is_set():
                batch = _transaction(sender, records, settings)
                if not batch:
                    return Restored(sent, found, True)
                sent += batch
                progress(batch.total())
                log.info("transaction committed", records=batch.total())
        except BaseException:
            sender.abandon()
            raise
    return Restored(sent, found, False)


def _rests(
    archive: Archive, counts: Mapping[str, int], bootstrap: str
) -> tuple[Counter[str], list[Iterator[ArchivedRecord]]]:
    """What is there already, by topic, and what is still to be sent of each partition."""
    found: Counter[str] = Counter()
    rests = []
    for partition in ((topic, n) for topic, count in counts.items() for n in range(count)):
        records = archive.records(partition)
        found[partition[0]] += skip_what_is_there(bootstrap, partition, records)
        rests.append(records)
    return found, rests


def _kept(bootstrap: str, rest: Iterator[ArchivedRecord]) -> Iterator[ArchivedRecord]:
    """The same records, if Kafka will keep the first of them."""
    first = next(rest, None)
    if first is None:
        return iter(())
    kept_ms = retention_ms(bootstrap, first.topic)
    age_ms = time.time_ns() // 1_000_000 - first.timestamp
    if 0 <= kept_ms < age_ms:
        raise MisconfigurationError(
            f"Kafka keeps {first.topic} for {kept_ms / 86_400_000:.1f} days and would delete "
            f"records that are {age_ms / 86_400_000:.1f} days old at once: raise the topic's "
            "retention.ms first, or give --even-expired"
        )
    return itertools.chain([first], rest)


def _transaction(
    sender: TransactionalSender, records: Iterator[ArchivedRecord], settings: ProducerSettings
) -> Counter[str]:
    """Send and commit the next records; how many of each topic. None left: nothing is done."""
    sent: Counter[str] = Counter()
    until = time.monotonic() + settings.transaction_timeout_ms / 4_000
    while sent.total() < settings.commit_records and time.monotonic() < until:
        some = list(itertools.islice(records, _AT_ONCE))
        if not some:
            break
        if not sent:
            sender.begin()
            log.info("transaction open")
        sender.send(some)
        sent.update(record.topic for record in some)
    if sent:
        sender.commit()
    return sent


def total(archive: Archive) -> int:
    """How many offsets the files cover: an upper bound of the records."""
    return sum(
        place.to_offset - place.from_offset for its in archive.partitions.values() for place in its
    )
