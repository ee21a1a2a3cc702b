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
Repeats = Annotated[int, typer.Option(min=1, help="Pairs that are measured.")]


@app.callback()
def _root() -> None:
    pass


@app.command()
def stream(
    rows: Annotated[int, typer.Option(min=1_000, help="Generated impressions.")] = 2_000_000,
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


def _run(benchmark: Callable[[], Report], as_json: bool, report_file: Path | None) -> None:
    logs.configure("bench", __version__)
    report = benchmark()
    if report_file is not None:
        report.write(report_file)
    typer.echo(report.as_json() if as_json else report.as_markdown())
    if not report.reached:
        raise typer.Exit(NO)
