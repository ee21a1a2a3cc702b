"""`./roas restart`: one service of a running stack starts again, with the code of this checkout.

A step of a rolling upgrade: the others go on. The supervisor does the starting; this tells it with
which settings, ends the process and waits for the next one.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import psutil

from roas_contracts import exit_codes
from roas_contracts.errors import InputError, RoasError
from roas_local import control
from roas_local.components.process import log_tail
from roas_local.components.service import write_own_settings
from roas_local.install import Toolchain
from roas_local.stack import SERVICES, StackFolders, release_settings
from roas_local.state import UnitPhase, UnitState

_ENDS_WITHIN_S: Final = 60.0
_READY_WITHIN_S: Final = 300.0
_POLL_S: Final = 0.2

Say = Callable[[str], None]


class RestartError(RoasError):
    """The service did not come back; the message has the end of its log."""

    exit_code = exit_codes.UNAVAILABLE


def parse_settings(texts: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` each. Raises InputError for one that is not."""
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"--set takes NAME=VALUE, not {text!r}")
        settings[name] = value
    return settings


def restart(
    folders: StackFolders,
    name: str,
    settings: Mapping[str, str],
    toolchain: Toolchain,
    say: Say,
) -> None:
    """End a service, let the supervisor start it again, wait until it is ready.

    Args:
        folders: of the running stack.
        name: the service.
        settings: environment variables that it alone gets, until its next restart or the stack's.
        toolchain: of the checkout whose code it runs from now on.
        say: takes one line of progress.

    Raises:
        InputError: there is no such service.
        StartError: no stack is running.
        RestartError: it did not end, or it ended again instead of becoming ready.
    """
    if name not in SERVICES:
        raise InputError(f"{name!r} is no service of the stack: there are {', '.join(SERVICES)}")
    control.require_running(folders)
    before = _unit(folders, name)
    write_own_settings(folders.own_settings_of(name), {**release_settings(toolchain), **settings})
    running = None if before.process is None else before.process.process()
    if running is not None:
        say(f"{name} is ending")
        _end(running)
    _wait_ready(folders, before, ends=1 if running is not None else 0)
    say(f"{name} is ready again")


def _end(process: psutil.Process) -> None:
    try:
        process.terminate()
        process.wait(_ENDS_WITHIN_S)
    except psutil.TimeoutExpired:
        process.kill()  # As any crash: it goes on where it was.
    except psutil.NoSuchProcess:
        return


def _wait_ready(folders: StackFolders, before: UnitState, ends: int) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        unit = _unit(folders, before.name)
        if unit.phase is UnitPhase.READY and unit.process != before.process:
            return
        log = log_tail(folders.log(before.name), lines=3)
        if unit.restarts > before.restarts + ends:
            raise RestartError(
                f"{before.name} ended again ({unit.last_exit}) and is being tried again and again;"
                f" the end of its log:\n{log}"
            )
        if time.monotonic() > deadline:
            raise RestartError(
                f"{before.name} was not ready within {_READY_WITHIN_S:.0f} s; the end of its log:"
                f"\n{log}"
            )
        time.sleep(_POLL_S)


def _unit(folders: StackFolders, name: str) -> UnitState:
    state = control.require_running(folders)
    return next(unit for unit in state.units if unit.name == name)
