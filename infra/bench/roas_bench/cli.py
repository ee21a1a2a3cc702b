"""`./roas bench`: each benchmark is a command."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from roas_bench import __version__
from roas_bench.report import Report
from roas_contracts.exit_codes import NO
from roas_contracts.service import logs

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Benchmarks: what this is, measured side by side with what it could be. Every figure is a "
    "ratio of two things measured in one run; what they compute is compared first. They start "
    "servers of their own on free ports. Exit codes: 0 every goal reached, 1 one was not, or the "
    "results differ, 2 wrong usage, 3 something that is needed does not answer.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
ReportFile = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Write the Markdown page here too.")
]
Rows = Annotated[int, typer.Option(min=1_000, help="Generated impressions.")]
Repeats = Annotated[int, typer.Option(min=1, help="Pairs that are measured.")]


@app.callback()
def _root() -> None:
    pass


@app.command()
def stream(
    rows: Rows = 2_000_000,
    repeats: Repeats = 5,
    profile: Annotated[
        bool, typer.Option("--profile", help="Run the job once more to see where its time goes.")
    ] = False,
    as_json: AsJson = False,
    report_file: ReportFile = None,
) -> None:
    """The Flink job against the same windows in plain Flink SQL, per CPU second."""
    from roas_bench.stream import stream as benchmark

    _run(lambda: benchmark(rows, repeats, with_profile=profile), as_json, report_file)


@app.command()
def poison(
    rows: Rows = 2_000_000,
    repeats: Repeats = 5,
    as_json: AsJson = False,
    report_file: ReportFile = None,
) -> None:
    """The Flink job with one percent of poison records against the same events without."""
    from roas_bench.poison import poison as benchmark

    _run(lambda: benchmark(rows, repeats), as_json, report_file)


@app.command()
def producer(
    rows: Rows = 1_000_000,
    repeats: Repeats = 3,
    as_json: AsJson = False,
    report_file: ReportFile = None,
) -> None:
    """A file into Kafka, against the same client with records that are encoded already."""
    from roas_bench.producer import producer as benchmark

    _run(lambda: benchmark(rows, repeats), as_json, report_file)


@app.command("cache-writer")
def cache_writer(
    rows: Rows = 1_000_000,
    repeats: Repeats = 3,
    as_json: AsJson = False,
    report_file: ReportFile = None,
) -> None:
    """Metrics into PostgreSQL and Redis, against the rate at which the stream makes them."""
    from roas_bench.cache_writer import cache_writer as benchmark

    _run(lambda: benchmark(rows, repeats), as_json, report_file)


@app.command()
def latency(
    rates: Annotated[
        str, typer.Option(metavar="N,N,…", help="Events a second, separated by commas.")
    ] = "1000,20000",
    seconds: Annotated[int, typer.Option(min=5, help="How long events are sent at each.")] = 90,
    search: Annotated[
        bool, typer.Option(help="Go on upwards to the highest rate that is sustained.")
    ] = True,
    as_json: AsJson = False,
    report_file: ReportFile = None,
) -> None:
    """From the close of a window, and from the sending of the closing record, to Redis."""
    from roas_bench.latency import latency as benchmark

    if not all(part.isdigit() and int(part) > 0 for part in rates.split(",")):
        raise typer.BadParameter(f"{rates!r} is not a list of rates, such as 1000,20000")
    wanted = [int(part) for part in rates.split(",")]
    _run(lambda: benchmark(wanted, seconds, search=search), as_json, report_file)


@app.command()
def growth(
    events: Annotated[int, typer.Option(min=1_000, help="Impressions in each run.")] = 500_000,
    repeats: Repeats = 2,
    as_json: AsJson = False,
    report_file: ReportFile = None,
) -> None:
    """What more partitions, more dimension values and more cores cost and bring."""
    from roas_bench.growth import growth as benchmark

    _run(lambda: benchmark(events, repeats), as_json, report_file)


@app.command()
def volume(
    rows: Rows = 40_400_000,
    as_json: AsJson = False,
    report_file: ReportFile = None,
) -> None:
    """Avazu's volume through the whole path: the ledger, the memory, the time."""
    from roas_bench.volume import volume as benchmark

    _run(lambda: benchmark(rows), as_json, report_file)


def _run(benchmark: Callable[[], Report], as_json: bool, report_file: Path | None) -> None:
    logs.configure("bench", __version__)
    report = benchmark()
    if report_file is not None:
        report.write(report_file)
    typer.echo(report.as_json() if as_json else report.as_markdown())
    if not report.reached:
        raise typer.Exit(NO)
