"""`./roas bench`: each benchmark is a command."""

import inspect
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

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

Rows = Annotated[int, typer.Option(min=1_000, help="Generated impressions.")]
Repeats = Annotated[int, typer.Option(min=1, help="Pairs that are measured.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report", metavar="FILE", help="Write the Markdown page here too; its folder is made."
    ),
]


@app.callback()
def _root() -> None:
    pass


def _benchmark(name: str | None = None) -> Callable[[Callable[..., Report]], None]:
    """Make a command of a function that measures; all of them take --json and --report."""

    def add(measure: Callable[..., Report]) -> None:
        def command(as_json: bool, report_file: Path | None, **options: Any) -> None:
            logs.configure("bench", __version__)
            report = measure(**options)
            if report_file is not None:
                report.write(report_file)
            typer.echo(report.as_json() if as_json else report.as_markdown())
            if not report.reached:
                raise typer.Exit(NO)

        own = inspect.signature(measure)
        common = [
            Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
            Parameter("report_file", Parameter.KEYWORD_ONLY, default=None, annotation=ReportFile),
        ]
        # Typer asks for both what a command's options are and what their types are.
        signature = own.replace(
            parameters=[*own.parameters.values(), *common], return_annotation=None
        )
        vars(command)["__signature__"] = signature
        command.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
        app.command(name or measure.__name__, help=measure.__doc__)(command)

    return add


@_benchmark()
def stream(
    rows: Rows = 2_000_000,
    repeats: Repeats = 5,
    profile: Annotated[
        bool, typer.Option("--profile", help="Run the job once more to see where its time goes.")
    ] = False,
) -> Report:
    """The Flink job against the same windows in plain Flink SQL, per CPU second."""
    from roas_bench.stream import stream as benchmark

    return benchmark(rows, repeats, with_profile=profile)


@_benchmark()
def poison(
    rows: Rows = 2_000_000,
    repeats: Repeats = 5,
) -> Report:
    """The Flink job with one percent of poison records against the same events without."""
    from roas_bench.poison import poison as benchmark

    return benchmark(rows, repeats)


@_benchmark()
def producer(
    rows: Rows = 1_000_000,
    repeats: Repeats = 3,
) -> Report:
    """A file into Kafka, against the same client with records that are encoded already."""
    from roas_bench.producer import producer as benchmark

    return benchmark(rows, repeats)


@_benchmark("cache-writer")
def cache_writer(
    rows: Rows = 1_000_000,
    repeats: Repeats = 3,
) -> Report:
    """Metrics into PostgreSQL and Redis, against the rate at which the stream makes them."""
    from roas_bench.cache_writer import cache_writer as benchmark

    return benchmark(rows, repeats)


@_benchmark()
def latency(
    rates: Annotated[
        str, typer.Option(metavar="N,N,…", help="Events a second, separated by commas.")
    ] = "1000,20000",
    seconds: Annotated[int, typer.Option(min=5, help="How long events are sent at each.")] = 90,
    search: Annotated[
        bool, typer.Option(help="Go on upwards to the highest rate that is sustained.")
    ] = True,
) -> Report:
    """From the close of a window, and from the sending of the closing record, to Redis."""
    from roas_bench.latency import latency as benchmark

    if not all(part.isdigit() and int(part) > 0 for part in rates.split(",")):
        raise typer.BadParameter(f"{rates!r} is not a list of rates, such as 1000,20000")
    wanted = [int(part) for part in rates.split(",")]
    return benchmark(wanted, seconds, search=search)


@_benchmark()
def growth(
    events: Annotated[int, typer.Option(min=1_000, help="Impressions in each run.")] = 500_000,
    repeats: Repeats = 2,
) -> Report:
    """What more partitions, more dimension values and more cores cost and bring."""
    from roas_bench.growth import growth as benchmark

    return benchmark(events, repeats)


@_benchmark()
def volume(
    rows: Rows = 40_400_000,
) -> Report:
    """Avazu's volume through the whole path: the ledger, the memory, the time."""
    from roas_bench.volume import volume as benchmark

    return benchmark(rows)
