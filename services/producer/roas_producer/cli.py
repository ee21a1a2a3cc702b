"""The command line: ``replay`` a file, ``generate`` rows, ``publish`` your own."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from roas_contracts.errors import MisconfigurationError
from roas_contracts.service import logs
from roas_contracts.service.settings import load as load_settings
from roas_producer import economics
from roas_producer.app import Request, emit, wall_clock_ms
from roas_producer.display import hash_progress, row_progress, utc
from roas_producer.dry_run import Forecast, forecast
from roas_producer.generator import GeneratorOptions
from roas_producer.input_key import RunOptions
from roas_producer.lines import identify
from roas_producer.outcome import print_outcome
from roas_producer.pacing import MAX_REBASED_SPEED, parse_speed
from roas_producer.pipeline import Plan
from roas_producer.publish.command import publish
from roas_producer.restore.command import restore
from roas_producer.sampling import parse_share, taken_below
from roas_producer.sequence import Kind, Selection
from roas_producer.settings import ProducerSettings
from roas_producer.sources import FileSource, GeneratedSource, RowSource
from roas_producer.version import SERVICE, VERSION

app = typer.Typer(
    name="producer",
    help="Turns ad rows into events on Kafka, exactly once: a run that was interrupted, even by "
    "kill -9, goes on where it stopped when the same command is given again.\n\n"
    "Exit codes: 0 done, 1 another producer took over, 2 wrong input or setting, "
    "3 Kafka or the registry is away.",
    no_args_is_help=True,
    add_completion=False,
)


class Rebase(StrEnum):
    """Where event times are moved to."""

    NOW = "now"


Speed = Annotated[
    str | None,
    typer.Option(
        metavar="X",
        help="How many times faster than real time: 1, 200, or max. "
        "[default: max; 1 with --rebase now]",
    ),
]
Sample = Annotated[
    str, typer.Option(metavar="SHARE", help="Take a share of the rows by id hash: 1% or 0.01.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Take at most so many rows.")]
RebaseOption = Annotated[
    Rebase | None,
    typer.Option(
        help="now: move the first row to the present and let event time keep up with the clock; "
        "above --speed 1 event times are compressed accordingly."
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Count what would be sent. Sends nothing, needs no Kafka.")
]
Again = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Send an input that was sent before anew, under this name."),
]
Currency = Annotated[
    str | None,
    typer.Option(help="ISO 4217 code of all amounts. [default: $ROAS_PRODUCER_CURRENCY or USD]"),
]
EconomicsFile = Annotated[
    Path | None,
    typer.Option("--economics", metavar="FILE", help="Model of cost and revenue (TOML)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.callback()
def main() -> None:
    """Turns ad rows into events on Kafka."""
    logs.configure(SERVICE, VERSION)


@app.command()
def replay(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Kaggle's train or test file, plain or gzip; - is stdin."
        ),
    ],
    input_name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of what comes on stdin; a restart needs the same."),
    ] = None,
    speed: Speed = None,
    sample: Sample = "100%",
    limit: Limit = None,
    rebase: RebaseOption = None,
    dry_run: DryRun = False,
    again: Again = None,
    currency: Currency = None,
    economics_file: EconomicsFile = None,
    errata: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where bad rows go as CSV, to be corrected and replayed. "
            "[default: FILE.errata.csv, made when there is a bad row; none for stdin]",
        ),
    ] = None,
    no_errata: Annotated[bool, typer.Option("--no-errata", help="Write no errata file.")] = False,
    synthesize_ids: Annotated[
        bool,
        typer.Option(
            "--synthesize-ids",
            help="Make new ids from file and line, for files whose ids have lost digits.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send an Avazu file: impressions, clicks, conversions, in event-time order."""
    wishes = _Wishes(speed, sample, limit, rebase, again, currency, economics_file, synthesize_ids)
    size = file.stat().st_size if file.is_file() else None
    with hash_progress(file.name, size, _watched()) as progressed:
        source = identify(file, input_name, progressed)
    if no_errata:
        errata = None
    elif errata is None and source.path is not None:
        errata = file.with_name(file.name + ".errata.csv")
    _run(FileSource(source, synthesize_ids), wishes, errata, dry_run, as_json)


@app.command()
def generate(
    rows: Annotated[
        int | None, typer.Option(min=1, help="Impressions in all; without it --scale decides.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days of event time.")] = None,
    hours: Annotated[
        int | None, typer.Option(min=1, help="Hours of event time. [default: 240, ten days]")
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Share of Avazu's volume, 40.4 million rows in ten days.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other rows.")] = 1,
    start: Annotated[
        str, typer.Option(metavar="TIME", help="First hour, ISO 8601; UTC without an offset.")
    ] = "2014-10-21T00:00Z",
    speed: Speed = None,
    sample: Sample = "100%",
    limit: Limit = None,
    rebase: RebaseOption = None,
    dry_run: DryRun = False,
    again: Again = None,
    currency: Currency = None,
    economics_file: EconomicsFile = None,
    as_json: AsJson = False,
) -> None:
    """Send made-up rows that follow Avazu's published statistics.

    The same options give the same rows.
    """
    if days is not None and hours is not None:
        raise MisconfigurationError("give --days or --hours, not both")
    try:
        first = datetime.fromisoformat(start)
    except ValueError:
        raise MisconfigurationError(
            f"--start {start!r} is not a time: write it as 2014-10-21T00:00Z"
        ) from None
    options = GeneratorOptions(
        rows=rows,
        hours=days * 24 if days is not None else hours or 240,
        scale=scale,
        seed=seed,
        start=first,
    )
    wishes = _Wishes(speed, sample, limit, rebase, again, currency, economics_file, False)
    _run(GeneratedSource(options), wishes, None, dry_run, as_json)


app.command()(publish)
app.command()(restore)


class _Wishes:
    """The options that both commands have, checked."""

    def __init__(
        self,
        speed: str | None,
        sample: str,
        limit: int | None,
        rebase: Rebase | None,
        again: str | None,
        currency: str | None,
        economics_file: Path | None,
        synthesize_ids: bool,
    ) -> None:
        self.speed = parse_speed(speed or ("max" if rebase is None else "1"))
        self.rebase_speed = None if rebase is None else _rebase_speed(self.speed)
        self.share = parse_share(sample)
        self.limit = limit
        self.again = again
        self.currency = currency
        self.economics = economics.load(economics_file)
        self.synthesize_ids = synthesize_ids

    def plan(self, source: RowSource, currency: str) -> Plan:
        """What is to be emitted from a source."""
        selection = Selection(taken_below(self.share), self.limit)
        return Plan(source, self.economics, selection, currency, self.rebase_speed)

    def options(self, currency: str) -> RunOptions:
        """The options that are part of the input's key."""
        return RunOptions(
            sample=self.share,
            limit=self.limit,
            rebase_speed=None if self.rebase_speed is None else str(self.rebase_speed),
            currency=currency,
            economics=self.economics.fingerprint,
            synthesize_ids=self.synthesize_ids,
            again=self.again,
        )


def _rebase_speed(speed: Fraction | None) -> Fraction:
    if speed is None:
        raise MisconfigurationError(
            "--rebase now does not go with --speed max: its events would run ahead of the clock, "
            "and consumers refuse events from the future; give a speed, such as --speed 200"
        )
    if speed > MAX_REBASED_SPEED:
        raise MisconfigurationError(
            f"--rebase now goes with --speed {MAX_REBASED_SPEED} at most: more would press "
            "too many events into one millisecond"
        )
    return speed


def _run(
    source: RowSource, wishes: _Wishes, errata: Path | None, dry_run: bool, as_json: bool
) -> None:
    settings = load_settings(ProducerSettings, currency=wishes.currency)
    plan = wishes.plan(source, settings.currency)
    if dry_run:
        with row_progress(source.name, source.total_rows, _watched()) as update:

            def progressed(kinds: Counter[Kind], clock_ms: int) -> None:
                rows = kinds[Kind.IMPRESSION] + kinds[Kind.BAD_ROW]
                update(rows, kinds.total(), clock_ms)

            _print_forecast(forecast(plan, wall_clock_ms, progressed), source.name, as_json)
        return
    options = wishes.options(settings.currency)
    outcome = emit(Request(plan, options, wishes.speed, errata, _watched()), settings)
    print_outcome(outcome, errata, as_json, "correct and replay that file")


def _watched() -> bool:
    """Whether a person watches."""
    return sys.stderr.isatty()


def _print_forecast(result: Forecast, name: str, as_json: bool) -> None:
    if as_json:
        _print_json({"input_name": name, "dry_run": True, **asdict(result)})
        return
    by_model = "".join(
        f"; {model} {micros / economics.MICROS:,.2f}"
        for model, micros in result.cost_micros_by_pricing_model.items()
    )
    out = Console(highlight=False)
    out.print(
        f"{name}: nothing was sent, this would be:\n"
        f"  impressions  {result.impressions:>12,}\n"
        f"  clicks       {result.clicks:>12,}\n"
        f"  conversions  {result.conversions:>12,}\n"
        f"  dead letters {result.dead_letters:>12,}\n"
        f"  event times  {utc(result.first_event_time)} to {utc(result.last_event_time)}\n"
        f"  cost         {result.cost_micros / economics.MICROS:>12,.2f} (synthetic{by_model})\n"
        f"  revenue      {result.revenue_micros / economics.MICROS:>12,.2f} (synthetic)",
        soft_wrap=True,
    )
    for reason, count in result.dead_letters_by_reason.items():
        out.print(f"  {reason}: {count:,}", soft_wrap=True)
    for example in result.dead_letter_examples:
        out.print(f"    {example}", soft_wrap=True, markup=False)


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
