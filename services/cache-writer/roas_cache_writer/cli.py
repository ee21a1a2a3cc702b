"""`python -m roas_cache_writer`: the writer, and the manager of what it keeps in Redis."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import Progress

from roas_cache_writer import SERVICE, __version__, report
from roas_cache_writer.cache import MetricsCache
from roas_cache_writer.deltas import SIZE_OF_TOPIC
from roas_cache_writer.inspection import collect_stats
from roas_cache_writer.settings import Settings
from roas_cache_writer.stores import make_cache, make_store
from roas_cache_writer.warm import warm as warm_size
from roas_contracts import exit_codes
from roas_contracts.errors import InputError
from roas_contracts.redis_layout import RedisMetricsReader, TopBy, WindowSize
from roas_contracts.service import logs
from roas_contracts.service.settings import load

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Counts ctr-stream's window deltas into PostgreSQL (the truth) and Redis (the live "
    "copy), each delta exactly once, and manages the copy. Settings are environment variables "
    "ROAS_CACHE_WRITER_*. Exit codes: 0 fine, 1 the answer is no, 2 wrong usage or settings, "
    "3 a dependency is unavailable.",
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
_Size = Annotated[WindowSize, typer.Option("--size", help="Window size.")]
_Dimension = Annotated[
    str, typer.Argument(help="total, campaign, placement, banner_pos or device_type.")
]
_Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{SERVICE} {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    pass


@app.command()
def run() -> None:
    """Count until stopped by SIGTERM or Ctrl-C. A second instance takes over from the first."""
    from roas_cache_writer import app as composition  # Kafka and the registry: for this only.

    composition.run(load(Settings))


@app.command()
def warm(as_json: _Json = False) -> None:
    """Bring Redis in line with PostgreSQL, also while a writer runs.

    Sets what is missing or older, and removes what PostgreSQL no longer has.
    """
    settings = _settings()
    store, cache = make_store(settings), make_cache(settings)
    try:
        store.open()
        reports = []
        with report.progress_bar() as progress:
            for size in WindowSize:
                update = _progress(progress, f"warming {size} windows")
                reports.append(warm_size(store, cache, size, update)[1])
    finally:
        store.close()
        cache.close()
    report.show_warming(reports, as_json)


@app.command()
def show(
    dimension: _Dimension,
    value: Annotated[str, typer.Argument(help="Such as all, site:1fbe01fe or 0.")],
    size: _Size = WindowSize.ONE_MINUTE,
    windows: Annotated[int, typer.Option(min=1, max=10_080, help="How many.")] = 60,
    as_json: _Json = False,
) -> None:
    """Show the last windows of a dimension value, as a dashboard reads them from Redis.

    Exit code 1 when there is nothing.
    """
    reader = _reader()
    rows = reader.last_windows(size, dimension, value, windows)
    report.show_windows(dimension, value, rows, as_json)
    if not rows:
        raise typer.Exit(exit_codes.NO)


@app.command()
def top(
    dimension: _Dimension,
    n: Annotated[int, typer.Option("--n", "-n", min=1, max=1000, help="How many.")] = 10,
    by: Annotated[TopBy, typer.Option(help="Ranked by what.")] = TopBy.IMPRESSIONS,
    size: _Size = WindowSize.ONE_MINUTE,
    windows: Annotated[int, typer.Option(min=1, max=60, help="Over the last so many.")] = 1,
    min_impressions: Annotated[
        int | None,
        typer.Option(min=0, help="Leave out values with fewer [default: 100 by ctr, else 0]."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Rank the values of a dimension over the newest complete windows.

    Exit code 1 when there is nothing to rank.
    """
    entries = _reader().top(size, dimension, n, by, windows, min_impressions)
    report.show_top(dimension, by, entries, as_json)
    if not entries:
        raise typer.Exit(exit_codes.NO)


@app.command()
def stats(as_json: _Json = False) -> None:
    """Show what Redis holds, how fresh it is, and how far the writer is behind.

    Only Redis must answer; what PostgreSQL or Kafka would add is left out when they don't.
    """
    settings = _settings()
    report.show_stats(collect_stats(settings), as_json)


@app.command()
def evict(
    dimension: Annotated[str | None, typer.Option(help="Only this dimension.")] = None,
    value: Annotated[str | None, typer.Option(help="Only this value of --dimension.")] = None,
    before: Annotated[
        str | None, typer.Option(help="Only windows that start before this UTC time (ISO 8601).")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    yes: _Yes = False,
    as_json: _Json = False,
) -> None:
    """Remove windows or values from Redis. PostgreSQL keeps them; `warm` brings them back.

    After `--all` a running writer fills Redis again by itself.
    """
    start = None if before is None else _time(before)
    if everything == (dimension is not None or before is not None):
        raise typer.BadParameter("say either --all, or --dimension and/or --before")
    if value is not None and dimension is None:
        raise typer.BadParameter("--value needs --dimension")
    if not yes:
        typer.confirm("Remove this from Redis?", abort=True, err=True)
    cache = make_cache(_settings())
    try:
        if everything:
            keys, values = cache.forget_everything(), 0
        else:
            keys, values = _evict_some(cache, dimension, value, start)
    finally:
        cache.close()
    report.show_eviction(keys, values, as_json)


@app.command()
def rebind(
    topic: Annotated[str, typer.Argument(help="A metrics topic.")],
    yes: _Yes = False,
    as_json: _Json = False,
) -> None:
    """After a metrics topic was recreated on purpose: read the new one from its beginning.

    What was counted stays counted. Stop the writer first: it would be fenced.
    """
    if topic not in SIZE_OF_TOPIC:
        raise InputError(f"{topic!r} is no metrics topic: there are {', '.join(SIZE_OF_TOPIC)}")
    if not yes:
        typer.confirm(
            f"Forget the offsets of {topic}? If it still holds records that are counted, they "
            "will be counted twice.",
            abort=True,
            err=True,
        )
    store = make_store(_settings())
    try:
        store.open()
        partitions = store.rebind(topic)
    finally:
        store.close()
    report.show_rebinding(topic, partitions, as_json)


def _settings() -> Settings:
    logs.configure(SERVICE, __version__)
    return load(Settings)


def _reader() -> RedisMetricsReader:
    return RedisMetricsReader.connect(_settings().redis_url.get_secret_value())


def _progress(progress: Progress, description: str) -> report.OnProgress:
    task = progress.add_task(description, total=None)
    return lambda done, of: progress.update(task, completed=done, total=of)


def _evict_some(
    cache: MetricsCache, dimension: str | None, value: str | None, before: int | None
) -> tuple[int, int]:
    """Windows and values that went."""
    keys = values = 0
    for size in WindowSize:
        windows = [
            (name, start)
            for name, start in cache.index(size)
            if (dimension is None or name == dimension) and (before is None or start < before)
        ]
        if value is None:
            keys += cache.forget_windows(size, windows)
        else:
            values += sum(cache.forget(size, name, start, [value]) for name, start in windows)
    return keys, values


def _time(text: str) -> int:
    """Epoch milliseconds; a time without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"--before: {text!r} is not a time such as 2014-10-21T05:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
