"""`volume`: as many rows as Avazu has through the whole path: exact, memory flat, time stated."""

from typing import Any, Final

import structlog

from roas_bench.different import DifferentResultsError
from roas_bench.report import Figure, Goal, Report, table
from roas_bench.traffic import ROWS_PER_HOUR
from roas_bench.whole_pipeline import Course, whole_pipeline

AVAZU_ROWS: Final = 40_400_000
"""Impressions in ten days of Avazu's training data, rounded."""

_FLAT: Final = 1.25
"""Memory is flat if the second half of a run takes at most so much more than the first."""
_LEDGER_WAIT_S: Final = 600

log = structlog.get_logger("roas_bench.volume")


def volume(rows: int) -> Report:
    """Run the benchmark.

    Args:
        rows: generated impressions, at Avazu's density of rows per hour.

    Raises:
        DifferentResultsError: the ledger was not exact.
        TransientError: a server failed.
    """
    hours = max(1, round(rows / ROWS_PER_HOUR))
    with whole_pipeline("volume") as pipeline:
        with pipeline.watched() as course:
            summary = pipeline.produce(
                "generate", "--rows", str(rows), "--hours", str(hours), "--speed", "max"
            )
            log.info("sent", events=summary["sent_now"], seconds=summary["seconds"])
            pipeline.wait_until_counted()
        report = pipeline.ledger(_LEDGER_WAIT_S)
    if not report["exact"]:
        raise DifferentResultsError(f"the ledger differs: {report['differences'][:3]}")
    return _report(rows, summary, course)


def _report(rows: int, summary: dict[str, Any], course: Course) -> Report:
    seconds = course.seconds[-1]
    ours = [name for name in ("taskmanager", "cache-writer") if course.bytes_of.get(name)]
    flat = all(course.growth(name) <= _FLAT for name in ours)
    memory = [
        [
            name,
            f"{course.peak(name) / 2**20:,.0f}",
            f"{course.growth(name):.2f}",
        ]
        for name in course.bytes_of
    ]
    return Report(
        name="volume",
        title="Benchmark: Avazu's volume through the whole path",
        command=f"./roas bench volume --rows {rows}",
        figures=[
            Figure("rows", f"{rows:,} of Avazu's {AVAZU_ROWS:,}"),
            Figure("events", f"{summary['sent_now']:,}"),
            Figure("ledger", "exact", Goal("exact", reached=True)),
            Figure("from the first event to the last one counted", f"{seconds / 60:.1f} min"),
            Figure(
                "events per second, all on this machine", f"{summary['sent_now'] / seconds:,.0f}"
            ),
            Figure(
                "memory in the second half / in the first (TaskManager, cache-writer)",
                " and ".join(f"{course.growth(name):.2f}" for name in ours),
                Goal(f"at most {_FLAT:g}", flat),
            ),
        ],
        details={
            "events": summary["sent_now"],
            "seconds": seconds,
            "producer_seconds": summary["seconds"],
            "peak_bytes": {name: course.peak(name) for name in course.bytes_of},
        },
        notes=[table(["process", "peak memory MiB", "second half / first"], memory)],
    )
