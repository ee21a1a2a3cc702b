"""`python -m roas_dbt` and `./roas dbt`."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from roas_contracts import exit_codes
from roas_contracts.service import logs
from roas_contracts.service.settings import load
from roas_dbt import SERVICE, __version__
from roas_dbt.days import parse_days
from roas_dbt.settings import DbtSettings
from roas_dbt.view import show

_PASS = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
_DBT = "dbt's own verbs, on this project (their options: NAME --help)"

_HELP = (
    "Daily marts, computed by dbt from the raw events of whole days. Read them in the schema "
    "marts_v1.\n\nExit codes: 0 fine, 1 a model or a test failed, 2 wrong usage or setting, 3 "
    "PostgreSQL does not answer, or another build is running."
)

app = typer.Typer(no_args_is_help=True, add_completion=False, help=_HELP)


@app.callback()
def _root() -> None:
    logs.configure(SERVICE, __version__)


@app.command()
def build(
    days: Annotated[
        list[str] | None,
        typer.Option(
            "--days",
            metavar="DAYS",
            help="Event days, such as 2014-10-21,2014-10-22 or 2014-10-21..2014-10-30; repeatable."
            " Left out: the days whose raw events are newer than the marts.",
        ),
    ] = None,
    all_days: Annotated[
        bool, typer.Option("--all-days", help="Every day that raw has, as after a new model.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Build and test the marts of some days. What a build before did not finish is taken up.

    The same days again change nothing. The days of the impressions behind the clicks read, and the
    baselines of the 28 days after, are computed again, too.
    """
    from roas_dbt import app as application

    if days and all_days:
        raise typer.BadParameter("--all-days and --days exclude each other")
    report = application.build(load(DbtSettings), parse_days(days or ()), all_days)
    if as_json:
        typer.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        show(report, Console())
    raise typer.Exit(exit_codes.NO if report.failed else exit_codes.OK)


@app.command()
def stale(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the days whose raw events are newer than the marts: what `build` would compute."""
    from roas_dbt import app as application

    found = [day.isoformat() for day in application.stale(load(DbtSettings))]
    if as_json:
        typer.echo(json.dumps({"days": found}))
    else:
        for day in found:
            typer.echo(day)


@app.command()
def lint(
    fix: Annotated[bool, typer.Option("--fix", help="Rewrite what can be mended.")] = False,
) -> None:
    """Check the SQL of the models and tests with SQLFluff."""
    from roas_dbt import app as application

    application.lint(load(DbtSettings), fix)


def _pass_through(verb: str, help_text: str) -> None:
    def command(context: typer.Context) -> None:
        from roas_dbt import app as application

        application.run_dbt(load(DbtSettings), [verb, *context.args])

    app.command(
        verb, help=help_text, rich_help_panel=_DBT, context_settings=_PASS, add_help_option=False
    )(command)


_pass_through("test", "Test the days of the last build again (`--select …`).")
_pass_through("source", "`source freshness`: is raw still being filled?")
_pass_through("run", "Build models without testing them.")
_pass_through("seed", "Load the names of campaigns.")
_pass_through("compile", "Show the SQL of a model (`--select NAME`).")
_pass_through("show", "Show rows of a model or query.")
_pass_through("ls", "List models, tests, exposures.")
_pass_through("docs", "`docs generate`: the documentation as a site.")
_pass_through("parse", "Check that the project can be read.")
_pass_through("debug", "Check the connection.")
