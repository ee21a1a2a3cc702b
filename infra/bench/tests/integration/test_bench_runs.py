"""Each benchmark, tiny: what it runs works, and what is compared is equal. No timing is asserted.

In this order: a test may rely on what those before it have left in Kafka.
"""

from roas_bench import cache_writer, poison, producer, stream
from roas_bench.bench_stack import BenchStack
from roas_bench.growth import Setting, grow
from roas_bench.raw_read import raw_read
from roas_bench.traffic import copy
from roas_local.components import KafkaBroker


def test_every_event_of_many_values_in_more_partitions_is_counted(
    empty_stack: BenchStack,
) -> None:
    grown = grow(empty_stack, Setting(values=500, partitions=6, parallelism=1), 2_000, repeats=0)

    assert grown.deltas > 500
    assert grown.cpu > 0


def test_the_stream_and_plain_sql_write_the_same_sums(stack: tuple[BenchStack, int]) -> None:
    bench, events = stack
    stream.create_topics(bench)

    used = stream.compared(bench, (1, 0), events)

    assert all(usage.cpu_seconds > usage.compiler_seconds > 0 for usage in used.values())


def test_the_raw_reader_reads_every_event(stack: tuple[BenchStack, int]) -> None:
    bench, events = stack

    limit = raw_read(bench, rounds=1)

    assert limit.records > events  # Heartbeats come on top.
    assert len(limit.consume) == len(limit.decode) == 1


def test_poison_becomes_dead_letters_and_changes_no_sum(stack: tuple[BenchStack, int]) -> None:
    bench, _ = stack
    with KafkaBroker(bench.stack.folders.data / "kafka-poison") as broker:
        poison.create_topics(bench, broker.bootstrap)
        poisoned = copy(bench.kafka, broker.bootstrap, poison_share=0.05)
        assert poisoned > 0
        # The clean broker's metrics are already there: only what is new counts.
        poison.compared(bench, broker.bootstrap, (0, 1), poisoned)


def test_the_cache_writer_stores_the_sums_of_all_deltas(stack: tuple[BenchStack, int]) -> None:
    bench, _ = stack

    deltas, readings = cache_writer.passes(bench, repeats=1)

    assert deltas > 1_000
    assert readings[0].seconds > 0


def test_the_client_alone_sends_as_many_events_as_the_producer(
    stack: tuple[BenchStack, int],
) -> None:
    bench, events = stack

    ours, raw = producer.pair(bench, rows=2_000)

    # Those of the other tests are in the topics as well.
    assert raw["events"] == ours["sent_now"] + events
