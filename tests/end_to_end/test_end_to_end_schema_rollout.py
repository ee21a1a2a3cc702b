"""A new schema version rolls out in both orders, and back, while traffic flows: nothing is lost.

Version 2 of impressions and clicks, on a stack that starts with the contracts of version 1. Which
contracts a process is built with is what ROAS_CONTRACTS_DIR says.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from whole_stack import BACKGROUND_SUPERVISOR, WholeStack, started, wait_until

from roas_contracts import wire
from roas_contracts.codec import Codec
from roas_contracts.decoder import Decoder
from roas_contracts.events import (
    AD_CLICKS,
    AD_IMPRESSIONS,
    DEAD_LETTERS,
    AdImpression,
    DeadLetter,
    DeadLetterReason,
    PlacementType,
    PricingModel,
    Source,
)
from roas_contracts.registry import Registry, SchemaSource
from roas_contracts.rules import Rules
from roas_contracts.subjects import DIRECTORY_VARIABLE, contracts_directory
from roas_corpus.earlier_contracts import earlier_contracts
from roas_ledger.kafka_reader import KafkaReader
from roas_ledger.record import Partition, Record
from roas_local import service_restart
from roas_local.demo_traffic import TrafficProcess

pytestmark = [pytest.mark.timeout(1200), BACKGROUND_SUPERVISOR]

ROWS = 240_000
# At the speed of the test it would take 24 minutes.
GENERATE = ("generate", "--rows", str(ROWS), "--hours", "48", "--start", "2014-12-21T00:00Z")
EVOLVED = (AD_IMPRESSIONS, AD_CLICKS)
START_MS = 1_419_120_000_000


class Rollout:
    """A stack whose parts are switched between contracts one by one, and its traffic."""

    def __init__(self, stack: WholeStack, earlier: Path) -> None:
        self.stack = stack
        self.kafka = KafkaReader(stack.environment["ROAS_LEDGER_KAFKA_BOOTSTRAP"])
        self.registry = Registry(stack.environment["ROAS_LEDGER_REGISTRY_URL"])
        self._contracts = {1: str(earlier), 2: str(contracts_directory())}
        self._traffic: TrafficProcess | None = None

    def contracts(self, version: int) -> Mapping[str, str]:
        return {DIRECTORY_VARIABLE: self._contracts[version]}

    def register(self, version: int) -> None:
        """The deploy step."""
        subprocess.run(
            [self.stack.toolchain.environment("services"), "-m", "roas_contracts", "register"],
            env={**self.stack.environment, **self.contracts(version)},
            check=True,
            capture_output=True,
            timeout=120,
        )

    def switch(self, service: str, version: int) -> None:
        """Another release of one service, with the traffic going on."""
        service_restart.restart(
            self.stack.folders, service, self.contracts(version), self.stack.toolchain, print
        )
        assert self.version_of(service) == version
        assert self._traffic is not None
        assert self._traffic.running, self.stack.log("producer")

    def version_of(self, service: str) -> int:
        """The contracts that the running process of a service has."""
        folder = self.stack.process(service).environ()[DIRECTORY_VARIABLE]
        return next(version for version, known in self._contracts.items() if known == folder)

    def produce(self, version: int, speed: str = "120") -> TrafficProcess:
        """Another release of the producer goes on with the same input; its events are there."""
        self.stop_producing()
        ends = self.ends()
        self._traffic = self.stack.producer(*GENERATE, "--speed", speed, **self.contracts(version))
        self._traffic.spawn()
        wait_until("the producer is ready", self._traffic.ready, 120)
        written = {self.schema_id(topic, version) for topic in EVOLVED}
        wait_until("it has sent events", lambda: written <= set(self.schema_ids_since(ends)), 120)
        assert set(self.schema_ids_since(ends)) == written
        return self._traffic

    def stop_producing(self) -> None:
        if self._traffic is not None:
            self._traffic.stop()
            assert self._traffic.exit_code == 0, self.stack.log("producer")

    def wait_until_read(self) -> None:
        """The stream has read all that is there now, as the positions of its checkpoints say."""
        ends = self.ends()

        def is_behind() -> bool:
            positions = self.kafka.group_positions("ctr-stream", list(ends))
            return any(positions.get(at, 0) < end for at, end in ends.items())

        wait_until("the stream has read everything", lambda: not is_behind(), 180)

    def schema_id(self, topic: str, version: int) -> int:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv(DIRECTORY_VARIABLE, self._contracts[version])
            return self.registry.schema_id(topic)

    def ends(self) -> dict[Partition, int]:
        found = self.kafka.extents(self.kafka.partitions([*EVOLVED]))
        return {partition: extent.committed_end for partition, extent in found.items()}

    def records_since(self, begin: Mapping[Partition, int]) -> Iterator[Record]:
        """Committed events of the evolved topics behind some offsets."""
        for batch in self.kafka.read({at: (begin[at], end) for at, end in self.ends().items()}):
            yield from (record for record in batch if record.value is not None)

    def schema_ids_since(self, begin: Mapping[Partition, int]) -> Counter[int]:
        return Counter(wire.schema_id_of(r.value) for r in self.records_since(begin) if r.value)

    def dead_letters(self) -> list[DeadLetter]:
        decoder = Decoder(DEAD_LETTERS, SchemaSource(self.registry), Rules(group="test"))
        extents = self.kafka.extents(self.kafka.partitions([DEAD_LETTERS]))
        spans = {at: (extent.start, extent.committed_end) for at, extent in extents.items()}
        letters = []
        for batch in self.kafka.read(spans):
            for record in batch:
                letter = decoder.decode(record.value, record.headers, 0)
                assert isinstance(letter, DeadLetter)
                letters.append(letter)
        return letters


@pytest.fixture()
def rollout(tmp_path: Path) -> Iterator[Rollout]:
    earlier = earlier_contracts(1, tmp_path / "contracts")
    with started(tmp_path / "stack", {DIRECTORY_VARIABLE: str(earlier)}) as stack:
        rollout = Rollout(stack, earlier)
        with closing(rollout.kafka), closing(rollout.registry):
            yield rollout
            rollout.stop_producing()


def test_a_version_rolls_out_in_both_orders_and_back_without_a_loss(rollout: Rollout) -> None:
    beginning = dict.fromkeys(rollout.ends(), 0)
    refuse_to_write_what_is_not_registered(rollout)

    # Consumers first: the new stream reads the old producer.
    rollout.produce(1)
    rollout.register(2)
    rollout.switch("ctr-stream", 2)
    rollout.switch("cache-writer", 2)
    rollout.wait_until_read()
    rollout.produce(2)
    rollout.wait_until_read()
    charge_twice(rollout)

    # Back, as after a mistake: version 2 stays registered.
    rollout.produce(1)
    rollout.switch("ctr-stream", 1)

    # Producer first: the old stream reads the new producer.
    rollout.produce(2)
    rollout.wait_until_read()
    assert rollout.version_of("ctr-stream") == 1
    rollout.switch("ctr-stream", 2)
    rest = rollout.produce(2, speed="max")
    assert rest.wait_exit(300) == 0, rollout.stack.log("producer")

    report = rollout.stack.ledger(300)
    (line,) = (line for line in report["inputs"] if line["rows_read"] == ROWS)
    assert line["finished"]
    assert line["impressions"] == ROWS
    dead = {balance["topic"]: balance["dead"] for balance in report["topics"]}
    assert dead == {"ad-impressions": 1, "ad-clicks": 0, "ad-conversions": 0}
    (letter,) = rollout.dead_letters()
    assert letter.reason is DeadLetterReason.INVALID_FIELD
    assert "CPC does not charge" in letter.detail
    assert letter.schema_id == rollout.schema_id(AD_IMPRESSIONS, 2)
    both_versions_are_in_kafka(rollout, beginning)


def refuse_to_write_what_is_not_registered(rollout: Rollout) -> None:
    """The deploy step was forgotten: the producer says so, and sends nothing."""
    producer = rollout.stack.producer(*GENERATE, **rollout.contracts(2))
    producer.spawn()
    assert producer.wait_exit(120) == 2
    assert "version 2 of ad-impressions-value is not registered" in rollout.stack.log("producer")


def charge_twice(rollout: Rollout) -> None:
    """A campaign that pays per click is charged for an impression as well."""
    event = AdImpression(
        event_id="charged-twice",
        event_time=START_MS,
        labelled=False,
        source=Source.EXTERNAL,
        campaign_id="c1",
        advertiser_id="a1",
        creative_id="k1",
        placement_type=PlacementType.SITE,
        placement_id="s1",
        placement_domain="",
        placement_category="",
        banner_pos=0,
        device_type=1,
        connection_type=0,
        cost_micros=1_000,
        currency="USD",
        pricing_model=PricingModel.CPC,
    )
    codec = Codec.for_topic(AD_IMPRESSIONS, rollout.schema_id(AD_IMPRESSIONS, 2))
    bootstrap = rollout.stack.environment["ROAS_LEDGER_KAFKA_BOOTSTRAP"]
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(AD_IMPRESSIONS, codec.encode(event), event.event_id)
    assert producer.flush(30) == 0
    wait_until("it is a dead letter", lambda: len(rollout.dead_letters()) == 1, 120)


def both_versions_are_in_kafka(rollout: Rollout, beginning: Mapping[Partition, int]) -> None:
    schemas = SchemaSource(rollout.registry)
    decoders = {topic: Decoder(topic, schemas, Rules(group="test")) for topic in EVOLVED}
    found: dict[str, Counter[tuple[int, str]]] = {topic: Counter() for topic in EVOLVED}
    for record in rollout.records_since(beginning):
        topic, value = record.partition[0], record.value
        assert value is not None
        if record.key != b"charged-twice":
            event: Any = decoders[topic].decode(value, record.headers, record.timestamp)
            found[topic][wire.schema_id_of(value), event.pricing_model] += 1
    for topic, counts in found.items():
        old, new = (rollout.schema_id(topic, version) for version in (1, 2))
        assert set(counts) == {(old, "UNKNOWN"), (new, "CPM"), (new, "CPC")}
    assert sum(found[AD_IMPRESSIONS].values()) == ROWS
