"""The contracts' command line in a checkout: what `roas_contracts` has, and `fuzz`."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from roas_contracts import exit_codes
from roas_contracts.cli import app
from roas_contracts.errors import MisconfigurationError
from roas_fuzz.comparison import Report, compare
from roas_fuzz.oracle import AvroOracle
from roas_fuzz.pairs import pairs

__all__ = ["app"]


@app.command("fuzz")
def fuzz_command(
    count: Annotated[
        int, typer.Option("--pairs", min=1, help="How many pairs of schemas.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same pairs.")] = 1,
    first: Annotated[
        int, typer.Option(min=0, help="Number of the first pair: to see one again.")
    ] = 0,
    oracle_jars: Annotated[
        str,
        typer.Option(
            envvar="ROAS_CONTRACTS_ORACLE_JARS",
            help="Class path with Apache Avro's Java; ./roas sets it.",
        ),
    ] = "",
    java: Annotated[
        Path, typer.Option(envvar="ROAS_CONTRACTS_ORACLE_JAVA", help="The java program.")
    ] = Path("java"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
) -> None:
    """Compare the compatibility rule with Apache Avro's Java on random pairs of schemas.

    Each pair is asked in both directions: is each text valid, and which incompatibilities are
    there, of which type, where, in which words.

    Exit codes: 0 no disagreement, 1 a disagreement, 2 usage.
    """
    if not oracle_jars:
        raise MisconfigurationError(
            "ROAS_CONTRACTS_ORACLE_JARS is not set: run ./roas contracts fuzz in a checkout"
        )
    start = time.monotonic()
    report = Report()
    console = Console(stderr=True)
    with AvroOracle(java, oracle_jars) as oracle, Progress(console=console) as progress:
        task = progress.add_task("pairs", total=count)
        for report in compare(pairs(seed, count, first), oracle):
            progress.update(task, completed=report.pairs)
    seconds = time.monotonic() - start
    if as_json:
        typer.echo(json.dumps(report.as_dict() | {"seed": seed, "seconds": round(seconds, 1)}))
    else:
        _print(report, seed, seconds)
    raise typer.Exit(exit_codes.NO if report.disagreements else exit_codes.OK)


def _print(report: Report, seed: int, seconds: float) -> None:
    typer.echo(f"{report.pairs:,} pairs of seed {seed} in {seconds:.1f} s, both directions:")
    for name, number in sorted(report.verdicts.items()):
        typer.echo(f"  {number:>9,} {name}")
    typer.echo("incompatibilities:")
    for name, number in report.as_dict()["types"].items():
        typer.echo(f"  {number:>9,} {name}")
    typer.echo(f"disagreements with Apache Avro's Java: {report.disagreements}")
    for each in report.kept:
        typer.echo(f"pair {each.number}: {each.question}?")
        typer.echo(f"  ours:  {each.ours}\n  java:  {each.java}")
        typer.echo(f"  one:   {each.one}\n  other: {each.other}")
