"""`producer`: rows of a file to acknowledged, transactional events, against the same client.

The limit is the rate at which the same client sends the same records when they are encoded already,
in transactions of the same size, to the same broker, right after.
"""

from typing import Any, Final

import structlog

from roas_bench.bench_stack import BenchStack, bench_stack
from roas_bench.different import DifferentResultsError
from roas_bench.ratios import Spread, ratio
from roas_bench.report import Figure, Goal, Report, table
from roas_bench.traffic import ROWS_PER_HOUR

LEAST_RATIO: Final = 0.5

log = structlog.get_logger("roas_bench.producer")


def producer(rows: int, repeats: int) -> Report:
    """Run the benchmark.

    Args:
        rows: of the file; clicks and conversions come on top.
        repeats: pairs that are measured, each on a broker of its own.

    Raises:
        DifferentResultsError: an event is missing or doubled.
        TransientError: a server failed.
    """
    ours: list[dict[str, Any]] = []
    raw: list[dict[str, Any]] = []
    for number in range(repeats):
        with bench_stack("producer") as bench:
            by_producer, by_client = pair(bench, rows)
        log.info("pair", number=number + 1, producer=by_producer, client=by_client)
        if by_producer["sent_now"] != by_client["events"]:
            raise DifferentResultsError(
                f"{by_producer['sent_now']} events were sent, {by_client['events']} are in Kafka"
            )
        ours.append(by_producer)
        raw.append(by_client)
    return _report(rows, repeats, ours, raw)


def pair(bench: BenchStack, rows: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The producer sends a file; then its client alone sends every event in Kafka again.

    Raises:
        DifferentResultsError: the file's rows did not become as many impressions.
    """
    file = bench.stack.folders.root / "train.csv"
    hours = max(1, round(rows / ROWS_PER_HOUR))
    bench.run_module(
        "roas_producer.generator.kaggle_file",
        *(str(file), "--rows", str(rows), "--hours", str(hours)),
    )
    ours = bench.run_tool(
        "roas_producer", "replay", str(file), "--no-errata", "--speed", "max", "--json"
    )
    if ours["impressions"] != rows:
        raise DifferentResultsError(f"{rows} rows became {ours['impressions']} impressions")
    return ours, bench.run_tool("roas_bench.raw_producer", bench.kafka)


def _report(
    rows: int, repeats: int, ours: list[dict[str, Any]], raw: list[dict[str, Any]]
) -> Report:
    our_rates = [run["sent_now"] / run["seconds"] for run in ours]
    raw_rates = [run["events"] / run["seconds"] for run in raw]
    share = ratio(our_rates, raw_rates)
    return Report(
        name="producer",
        title="Benchmark: the producer against its own client",
        command=f"./roas bench producer --rows {rows} --repeats {repeats}",
        figures=[
            Figure(
                "rate of the producer / rate of the client with encoded records",
                str(share),
                Goal(f"at least {LEAST_RATIO:g}", share.median >= LEAST_RATIO),
            )
        ],
        details={"ratio": share.as_dict(), "producer": ours, "client": raw},
        notes=[
            "From reading the file's first line to the last acknowledged commit; the producer's "
            "includes connecting and finding out where the input stands.",
            table(
                ["", "events/s"],
                [
                    ["producer", _thousands(our_rates)],
                    ["client alone", _thousands(raw_rates)],
                ],
            ),
        ],
    )


def _thousands(rates: list[float]) -> str:
    spread = Spread(tuple(rates))
    return f"{spread.median:,.0f} ({spread.low:,.0f}–{spread.high:,.0f})"
