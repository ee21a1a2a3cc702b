"""`./roas batch`: the batch's steps, each by hand. Airflow starts the same ones."""

from __future__ import annotations

from typing import Annotated

import typer

from roas_batch import SERVICE, __version__, archive_verbs, incident_cli
from roas_batch.maintain import verbs as maintain_verbs
from roas_batch.reconcile import verbs as reconcile_verbs
from roas_contracts.service import logs

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="From Kafka to the archive (Parquet files, the backup), and from the archive to event "
    "days in PostgreSQL. Every verb may be repeated at any time: what is done is not done "
    "again. Settings are environment variables ROAS_BATCH_*. Exit codes: 0 fine, 1 the answer is "
    "no (records are lost, a file is damaged), 2 wrong usage, settings or input, 3 a dependency is "
    "unavailable, 130 Ctrl-C.",
)


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
    logs.configure(SERVICE, __version__)


archive_verbs.add_to(app)
reconcile_verbs.add_to(app)
app.add_typer(maintain_verbs.app, name="maintain")
app.add_typer(incident_cli.app, name="incident")
