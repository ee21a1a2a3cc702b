"""One stack for all that does not need the services."""

from collections.abc import Iterator

import pytest

from roas_bench.bench_stack import BenchStack, bench_stack
from roas_bench.stream import FLINK_SETTINGS
from roas_bench.traffic import generate, messages


@pytest.fixture(scope="module")
def empty_stack() -> Iterator[BenchStack]:
    """A stack with a Flink cluster; its Kafka is empty before the first test."""
    with bench_stack("test", flink=True, flink_settings=FLINK_SETTINGS) as bench:
        yield bench


@pytest.fixture(scope="module")
def stack(empty_stack: BenchStack) -> tuple[BenchStack, int]:
    """The stack with some thousand events, and how many there are in its Kafka."""
    generate(empty_stack, rows=3_000)
    events = sum(message.value() is not None for message in messages(empty_stack.kafka))
    return empty_stack, events
