"""The verb ``publish``."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from roas_contracts.errors import InputError, MisconfigurationError
from roas_contracts.service.settings import load as load_settings
from roas_producer.app import Request, emit, wall_clock_ms
from roas_producer.display import hash_progress, row_progress, utc
from roas_producer.economics import MICROS
from roas_producer.lines import Input, identify
from roas_producer.outcome import print_outcome
from roas_producer.pacing import parse_speed
from roas_producer.publish.fields import EventName, contract_fields
from roas_producer.publish.formats import Format, format_of, reader_of
from roas_producer.publish.mapping import (
    ColumnMapping,
    load_mapping,
    mapping_by_name,
    nearest,
)
from roas_producer.publish.plan import PublishOptions, PublishPlan
from roas_producer.publish.preview import Preview, preview
from roas_producer.publish.rows import RowReader
from roas_producer.settings import ProducerSettings

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def publish(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV, JSON lines (either gzipped) or Parquet; - is stdin."
        ),
    ],
    event: Annotated[EventName, typer.Option("--as", help="What the rows are.")],
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Which column is which field (TOML or YAML). [default: columns are named as "
            "the contract's fields]",
        ),
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="[default: by the file's name]")
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(metavar="CHAR", help="Between a CSV's fields. [default: , (.tsv: tab)]"),
    ] = None,
    out_of_order: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Do not sort the file first: its rows are at most so much out of order, such as "
            "10m. [default: a file is sorted on disk; 0s for stdin]",
        ),
    ] = None,
    input_name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of what comes on stdin; a restart needs the same."),
    ] = None,
    speed: Annotated[
        str, typer.Option(metavar="X", help="How many times faster than real time, or max.")
    ] = "max",
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Show the mapping on the first rows and count what would be refused. Sends "
            "nothing, needs no Kafka.",
        ),
    ] = False,
    again: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Send a file that was sent before anew, under this name."
        ),
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option(help="The reporting currency. [default: $ROAS_PRODUCER_CURRENCY or USD]"),
    ] = None,
    errata: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where bad rows go, to be corrected and published. [default: FILE.errata.csv or "
            ".jsonl, made when there is a bad row; none for stdin]",
        ),
    ] = None,
    no_errata: Annotated[bool, typer.Option("--no-errata", help="Write no errata file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Send your own impressions, clicks or conversions, with their costs and revenue.

    Each row becomes one event, or one dead letter that says why not.
    """
    settings = load_settings(ProducerSettings, currency=currency)
    pace = parse_speed(speed)
    form = format_of(file, form)
    if delimiter is not None:
        delimiter = "\t" if delimiter in ("tab", "\\t") else delimiter
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise MisconfigurationError(f"--delimiter {delimiter!r} is not one character")
    watched = sys.stderr.isatty()
    size = file.stat().st_size if file.is_file() else None
    with hash_progress(file.name, size, watched) as progressed:
        source = identify(file, input_name, progressed)
    bound_ms = _out_of_order(out_of_order, source)
    reader = reader_of(source, form, delimiter)
    columns = _mapping(reader, mapping, event, settings.currency, source.name)
    plan = PublishPlan(
        source=source,
        form=form,
        delimiter=delimiter,
        reader=reader,
        mapping=columns,
        out_of_order_ms=bound_ms,
        currency=settings.currency,
        max_bad_row_share=settings.max_bad_row_share,
    )
    plan.maker(wall_clock_ms())  # A constant that does not fit is found before anything else.
    if dry_run:
        with row_progress(source.name, None, watched) as update:
            result = preview(plan, wall_clock_ms(), lambda rows, clock: update(rows, rows, clock))
        _print_preview(result, source.name, event, as_json)
        return
    options = PublishOptions(
        event=event.value,
        form=form.value,
        delimiter=delimiter,
        mapping=columns.fingerprint,
        out_of_order_ms=bound_ms,
        currency=settings.currency,
        again=again,
        first_start_ms=wall_clock_ms(),
    )
    if no_errata:
        errata = None
    elif errata is None and source.path is not None:
        suffix = ".errata.csv" if form is Format.CSV else ".errata.jsonl"
        errata = file.with_name(file.name + suffix)
    outcome = emit(Request(plan, options, pace, errata, watched), settings)
    print_outcome(outcome, errata, as_json, "correct and publish that file")


def _mapping(
    reader: RowReader, path: Path | None, event: EventName, currency: str, name: str
) -> ColumnMapping:
    columns = reader.columns
    if path is None:
        return mapping_by_name(
            contract_fields(event) if columns is None else columns, event, currency
        )
    mapping = load_mapping(path, event, currency)
    for column in mapping.columns:
        if columns is not None and column not in columns:
            raise InputError(
                f"{name} has no column {column!r}, which {path} names{nearest(column, columns)}"
            )
    return mapping


def _out_of_order(text: str | None, source: Input) -> int | None:
    if text is None:
        return None if source.path is not None else 0
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise MisconfigurationError(
            f"--out-of-order {text!r} is not a duration such as 30s, 10m or 2h"
        )
    return round(float(match[1]) * _UNITS_MS[match[2]])


def _print_preview(result: Preview, name: str, event: EventName, as_json: bool) -> None:
    if as_json:
        found = {"input_name": name, "dry_run": True, "as": event.value, **asdict(result)}
        sys.stdout.write(json.dumps(found, default=str) + "\n")
        return
    out = Console(highlight=False, markup=False, soft_wrap=True)
    for sample in result.samples[:1]:
        out.print(f"{name}, row {sample.row}, as {event.value}:")
        for field, value in sample.fields.items():
            cell = sample.cells.get(field)
            origin = "" if cell is None else f" from {cell}"
            out.print(f"  {field:<18} {value!s:<28}{origin}".rstrip())
    if result.unused_columns:
        out.print(f"columns that no field takes: {', '.join(result.unused_columns)}")
    out.print(
        f"{name}: nothing was sent, this would be:\n"
        f"  {event.value:<12} {result.events:>12,}\n"
        f"  dead letters {result.dead_letters:>12,}\n"
        f"  event times  {_span(result)}\n"
        f"  out of order {result.out_of_order_ms / 1000:>12,.1f} s\n"
        f"  cost         {result.cost_micros / MICROS:>12,.2f}\n"
        f"  revenue      {result.revenue_micros / MICROS:>12,.2f}"
    )
    for reason, count in result.dead_letters_by_reason.items():
        out.print(f"  {reason}: {count:,}")
    for example in result.dead_letter_examples:
        out.print(f"    {example}")


def _span(result: Preview) -> str:
    if result.first_event_time is None:
        return "none"
    return f"{utc(result.first_event_time)} to {utc(result.last_event_time)}"
