"""Command line of the native stack."""

import typer

from roas_contracts.service.cli import run

app = typer.Typer(no_args_is_help=True)


@app.command()
def install() -> None:
    """Install everything the stack needs, without starting it."""
    from roas_local.install import default_toolchain

    default_toolchain().everything()


@app.callback()
def cb() -> None:
    """x"""


def main() -> None:
    run(app)
