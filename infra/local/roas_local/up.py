"""`./roas up`: starts the stack and shows how it gets there."""

import os
import sys

from rich.console import Console
from rich.live import Live
from rich.text import Text

from roas_contracts import exit_codes
from roas_contracts.service import settings as service_settings
from roas_contracts.service.stop import StopSignal
from roas_local import control, status_view
from roas_local.install import default_toolchain
from roas_local.runner import StackRunner
from roas_local.settings import BATCH_VARIABLE, StackSettings
from roas_local.stack import StackFolders
from roas_local.state import StackPhase, StackState


class StartProgress:
    """Shows the states of a starting stack: a live table, or plain lines where nobody watches."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, transient=True) if console.is_terminal else None
        self._last = ""

    def __enter__(self) -> "StartProgress":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, state: StackState) -> None:
        """Show one state."""
        if self._live:
            self._live.update(status_view.table(state.units))
        # Why a start failed is said by the error that ends it.
        if state.message != self._last and state.phase is not StackPhase.FAILED:
            self._last = state.message
            if not self._live:
                self._console.print(Text(state.message))


def with_batch() -> None:
    """What is started by this process from now on includes Airflow."""
    os.environ[BATCH_VARIABLE] = "true"


def _batch_is_wanted() -> bool:
    return service_settings.load(StackSettings).batch


def in_background(folders: StackFolders) -> int:
    """Start, wait until ready, leave it running. Returns the exit code."""
    console = Console(stderr=True)
    running = control.running_state(folders)
    if running is not None:
        if _batch_is_wanted() and not any(unit.name == "airflow-api" for unit in running.units):
            console.print(
                "the stack is running without the batch: ./roas down, then ./roas up --batch"
            )
            return exit_codes.NO
        console.print("the stack is already running; see ./roas status")
        return exit_codes.OK
    with StartProgress(console) as progress:
        state = control.start(folders, default_toolchain(), progress)
    status_view.show(state, console)
    console.print(Text("next: ./roas producer --help, ./roas verify, ./roas logs -f, ./roas down"))
    return 0


def in_foreground(folders: StackFolders) -> int:
    """Run the stack in this process until Ctrl-C or SIGTERM. Returns the exit code."""
    toolchain = default_toolchain()
    control.prepare(folders, toolchain)
    with StopSignal() as stop:
        code = StackRunner(folders, toolchain).run(stop)
    sys.stderr.flush()
    return code
