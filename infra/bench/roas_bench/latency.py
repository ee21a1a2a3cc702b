"""`latency`: from the close of a window to Redis, and from the sending of the closing record.

The ledger measures both spans (its `latency` module has the definitions) after it has found the run
exact; here runs of different rates are put side by side. Event time runs 120 times faster than the
clock, as in the demo, so that a minute closes every half second.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import structlog

from roas_bench.different import DifferentResultsError
from roas_bench.report import Figure, Goal, Report, table
from roas_bench.whole_pipeline import whole_pipeline

GOAL_RATE: Final = 20_000
GOAL_P99_MS: Final = 2_000
SPEED: Final = 120
EVENTS_PER_ROW: Final = 1.19
"""Clicks and conversions come on top of the generated impressions."""
_KEPT_UP: Final = 0.9
"""The pace was kept if so much of it was sent in the time, starting and connecting included."""
_STEP: Final = 1.25

log = structlog.get_logger("roas_bench.latency")


@dataclass(frozen=True, slots=True)
class Paced:
    """One run at a pace."""

    wanted: float
    """Events a second that were asked for."""
    reached: float
    """Events a second that were sent."""
    latency: dict[str, Any]
    """The ledger's figures, in milliseconds."""

    @property
    def kept_up(self) -> bool:
        """Whether the producer kept the pace."""
        return self.reached >= _KEPT_UP * self.wanted

    @property
    def p99_ms(self) -> float:
        """Close to Redis; infinite where no window was measured."""
        span = self.latency.get("close_to_redis")
        return math.inf if span is None else span["p99"]


def latency(rates: list[int], seconds: int, *, search: bool = True) -> Report:
    """Run the benchmark.

    Args:
        rates: events a second.
        seconds: how long events are sent at each rate.
        search: go on from the largest rate upwards until the pace is not kept or p99 is missed.

    Raises:
        DifferentResultsError: the ledger was not exact.
        TransientError: a server failed.
    """
    runs = [paced_run(rate, seconds) for rate in rates]
    highest: Paced | None = None
    while search:
        run = paced_run(round(max(runs[-1].wanted, GOAL_RATE) * _STEP), seconds)
        runs.append(run)
        if not run.kept_up or run.p99_ms > GOAL_P99_MS:
            break
        highest = run
    return _report(rates, seconds, runs, highest)


def paced_run(rate: int, seconds: int) -> Paced:
    """One run on a stack of its own. Raises as `latency`."""
    with whole_pipeline("latency") as pipeline:
        # More than is sent in the time: the producer is stopped in the midst of it.
        hours = math.ceil(2 * seconds * SPEED / 3_600)
        rows = round(rate / EVENTS_PER_ROW * hours * 3_600 / SPEED)
        summary = pipeline.produce_for(
            seconds,
            "generate",
            *("--rows", str(rows), "--hours", str(hours), "--speed", str(SPEED)),
        )
        report = pipeline.ledger()
    if not report["exact"]:
        raise DifferentResultsError(f"the ledger differs: {report['differences'][:3]}")
    run = Paced(rate, summary["sent_now"] / summary["seconds"], report["latency_ms"] or {})
    log.info("run", rate=rate, reached=round(run.reached), latency_ms=run.latency)
    return run


def _report(rates: list[int], seconds: int, runs: list[Paced], highest: Paced | None) -> Report:
    figures = []
    for run in runs:
        if run.wanted == GOAL_RATE:
            goal = Goal(f"p99 < {GOAL_P99_MS} ms", run.kept_up and run.p99_ms < GOAL_P99_MS)
            figures.append(Figure(f"close → Redis at {GOAL_RATE:,} events/s, p99", _ms(run), goal))
    if highest is not None:
        figures.append(Figure("highest rate sustained", f"{highest.reached:,.0f} events/s"))
    rows = [
        [
            f"{run.wanted:,.0f}",
            f"{run.reached:,.0f}",
            str(run.latency.get("windows", 0)),
            _span(run.latency.get("close_to_redis")),
            _span(run.latency.get("sent_to_redis")),
        ]
        for run in runs
    ]
    header = ["events/s asked for", "sent", "windows", "close → Redis", "sent → Redis"]
    return Report(
        name="latency",
        title="Benchmark: latency from a closed window to Redis",
        command=f"./roas bench latency --rates {','.join(map(str, rates))} --seconds {seconds}",
        figures=figures,
        details={"runs": [{"wanted": r.wanted, "reached": r.reached, **r.latency} for r in runs]},
        notes=["Each run ended with an exact ledger. p50 / p99 / maximum.", table(header, rows)],
    )


def _ms(run: Paced) -> str:
    return f"{run.p99_ms / 1_000:.2f} s"


def _span(span: dict[str, int] | None) -> str:
    if span is None:
        return "–"
    return " / ".join(f"{span[name] / 1_000:.2f}" for name in ("p50", "p99", "max")) + " s"
