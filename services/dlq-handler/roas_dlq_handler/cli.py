"""`./roas dlq`: the service, and the on-call engineer's tool."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from roas_contracts.errors import InputError
from roas_contracts.service.settings import load
from roas_dlq_handler import SERVICE, __version__, changing, looking
from roas_dlq_handler import app as composition
from roas_dlq_handler.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Dead letters: what failed, why, and putting it back. Whatever changes something only "
    "shows what it would do until you say --yes. Settings are environment variables "
    "ROAS_DLQ_HANDLER_*. Exit codes: 0 fine, 1 the answer is no (nothing matches, refused), "
    "2 wrong usage or settings, 3 a dependency is unavailable, 130 Ctrl-C.",
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
    for argument in sys.argv[1:]:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise InputError(f"not UTF-8: {os.fsencode(argument)!r}") from None


@app.command()
def run() -> None:
    """Keep dead letters until stopped by SIGTERM or Ctrl-C. A second instance takes over."""
    composition.run(load(Settings))


app.command("ls")(looking.list_command)
app.command()(looking.stats)
app.command()(looking.show)
app.command()(changing.replay)
app.command()(changing.fix)
app.command()(changing.discard)
app.command()(changing.restore)
app.command()(changing.resume)
app.command()(changing.cancel)
app.command()(looking.audit)
app.command()(looking.export)
app.command()(changing.rebind)
