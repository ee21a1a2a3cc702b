"""`./roas`: the one front door.

Commands import what they need when they run: `--help` and the services' own command lines then
start at once.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from roas_contracts.service.cli import run
from roas_local.demo import demo

if TYPE_CHECKING:
    from roas_local.stack import StackFolders

_STACK = "The stack"
_SERVICES = "Services and tools (their own options: ./roas NAME --help)"
_BUILD = "Building and testing"

_HELP = (
    "Real-time ad performance: Kafka, Flink, PostgreSQL and Redis on this machine.\n\n"
    "Everything is installed into and runs from the folder .roas of this checkout (ROAS_HOME "
    "moves it). Exit codes: 0 fine, 1 the answer is no, 2 wrong usage or setting, 3 something "
    "that is needed does not answer."
)


app = typer.Typer(no_args_is_help=True, add_completion=False, help=_HELP)


@app.callback()
def _root() -> None:
    pass


app.command(rich_help_panel=_STACK)(demo)


@app.command(rich_help_panel=_STACK)
def up(
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in this terminal; Ctrl-C stops the stack.")
    ] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="With Airflow, which runs the daily batch.")
    ] = False,
) -> None:
    """Install what is missing, start everything and wait until it is ready."""
    from roas_local import up as up_command

    folders = _folders("run")
    if batch:
        up_command.with_batch()
    raise typer.Exit(
        up_command.in_foreground(folders) if foreground else up_command.in_background(folders)
    )


@app.command(rich_help_panel=_STACK)
def down() -> None:
    """Stop everything, in the reverse order of starting. Data stays."""
    from roas_local import control
    from roas_local.layout import STACKS

    stopped = [name for name in STACKS if control.stop(_folders(name))]
    typer.echo("stopped" if stopped else "no stack was running", err=True)


@app.command(rich_help_panel=_STACK)
def status(
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show every process: state, pid, ports, restarts. Exit code 1 unless all are ready."""
    from rich.console import Console

    from roas_local import control, status_view
    from roas_local.layout import STACKS

    states = [control.running_state(_folders(name)) for name in STACKS]
    state = next((found for found in states if found is not None), None)
    if json:
        typer.echo(status_view.as_json(state))
    else:
        status_view.show(state, Console())
    raise typer.Exit(0 if status_view.is_healthy(state) else 1)


@app.command(rich_help_panel=_STACK)
def restart(
    service: Annotated[str, typer.Argument(help="ctr-stream, cache-writer, dlq-handler.")],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A setting for this service alone; repeatable."
        ),
    ] = None,
) -> None:
    """Start one service again with this checkout's code, while the others go on.

    A step of a rolling upgrade. What --set says holds until its next restart.
    """
    from roas_local import control, service_restart
    from roas_local.install import default_toolchain
    from roas_local.layout import STACKS

    running = next((name for name in STACKS if control.running_state(_folders(name))), STACKS[0])
    service_restart.restart(
        _folders(running),
        service,
        service_restart.parse_settings(settings or ()),
        default_toolchain(),
        lambda line: typer.echo(line, err=True),
    )


@app.command(rich_help_panel=_STACK)
def logs(
    service: Annotated[
        str | None, typer.Argument(help="Process to show, as in `status`; all if left out.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on printing what is added.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many lines of each log to begin with.")
    ] = 20,
    of_demo: Annotated[bool, typer.Option("--demo", help="The demo's logs.")] = False,
) -> None:
    """Show the logs of the processes."""
    from roas_local import log_view

    folder = _folders("demo" if of_demo else "run").logs
    log_view.show(log_view.find_logs(folder, service), lines, follow)


@app.command(rich_help_panel=_STACK)
def clean(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was installed: the next start downloads it.")
    ] = False,
) -> None:
    """Remove the data and logs of the stack, of the demo and of chaos."""
    from roas_local import cleaning, layout

    removable = cleaning.removable(layout.current(), everything)
    if not removable:
        typer.echo("there is nothing to remove", err=True)
        return
    names = ", ".join(str(path) for path in removable)
    if not yes:
        typer.confirm(f"Remove {names}?", abort=True, err=True)
    cleaning.remove(removable)
    typer.echo(f"removed {names}", err=True)


@app.command(rich_help_panel=_STACK)
def install(
    batch: Annotated[
        bool, typer.Option("--batch", help="Also what the batch needs and the stack does not.")
    ] = False,
) -> None:
    """Install everything the stack and its tests need, without starting anything."""
    from roas_local.install import default_toolchain

    default_toolchain().everything()
    default_toolchain().test_libraries()
    if batch:
        default_toolchain().batch()


@app.command(rich_help_panel=_BUILD)
def test(
    unit: Annotated[bool, typer.Option("--unit", help="Only the unit tests.")] = False,
    integration: Annotated[
        bool, typer.Option("--integration", help="Only the integration tests.")
    ] = False,
    long: Annotated[
        bool, typer.Option("--long", help="Only the long tests, minutes each; not run otherwise.")
    ] = False,
    only: Annotated[str | None, typer.Option(help="Only this file or folder.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also tests that passed with the same inputs before.")
    ] = False,
) -> None:
    """Run lint, types, unit tests and integration tests against the real components."""
    from roas_build.pipeline import run_tests

    outcome = run_tests(unit=unit, integration=integration, long=long, only=only, force=force)
    raise typer.Exit(outcome)


_PASS = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


def _pass_through(name: str, help_text: str, panel: str = _SERVICES) -> None:
    def command(context: typer.Context) -> None:
        from roas_local import tools
        from roas_local.install import default_toolchain

        tools.execute(name, context.args, default_toolchain())

    app.command(
        name,
        help=help_text,
        rich_help_panel=panel,
        context_settings=_PASS,
        add_help_option=False,
    )(command)


@app.command("pants", rich_help_panel=_BUILD, context_settings=_PASS, add_help_option=False)
def pants(context: typer.Context) -> None:
    """Run Pants, the build tool, in this checkout."""
    from roas_build.launcher import run_pants

    raise typer.Exit(run_pants(context.args))


_pass_through("verify", "Check that nothing was lost or counted twice (the ledger).", _STACK)
_pass_through("chaos", "Kill -9 everything, again and again, and let the ledger judge.", _STACK)
_pass_through("producer", "Replay or generate ad events into Kafka.")
_pass_through("ctr-stream", "The Flink job that counts per window, and its upgrade tools.")
_pass_through("cache-writer", "Metrics into PostgreSQL and Redis, and the Redis cache manager.")
_pass_through("dlq", "Dead letters: list, show, replay, fix, discard, audit.")
_pass_through("batch", "Archive Kafka, rebuild event days in PostgreSQL: the batch by hand.")
_pass_through("airflow", "The batch's DAGs: backfill days, and Airflow's own command line.")
_pass_through("dbt", "Daily marts from the raw events: build, test, show what is stale.")
_pass_through("bench", "Benchmarks: what this is compared with what it could be.", _BUILD)
_pass_through("contracts", "Schemas and topics: list, register, create.")


def _folders(name: str) -> "StackFolders":
    from roas_local.layout import current
    from roas_local.stack import StackFolders

    return StackFolders(current().state(name))


def main() -> None:
    """Run the command line. The traceback of a defect goes to roas.log in ROAS_HOME."""
    from roas_local import defect_log
    from roas_local.layout import current

    defect_log.configure(current().home / "roas.log")
    run(app, program="./roas")
