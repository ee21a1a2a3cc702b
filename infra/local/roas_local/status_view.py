"""How the state of a stack is shown: a table for people, JSON for scripts."""

import json
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from roas_local.state import StackPhase, StackState, UnitPhase, UnitState

_COLOURS = {
    UnitPhase.READY: "green",
    UnitPhase.UNREADY: "yellow",
    UnitPhase.STARTING: "yellow",
    UnitPhase.BACKOFF: "red",
}


def is_healthy(state: StackState | None) -> bool:
    """True if the stack is up and every process answers."""
    if state is None or state.phase is not StackPhase.READY:
        return False
    return all(unit.phase is UnitPhase.READY for unit in state.units)


def as_json(state: StackState | None) -> str:
    """The state without secrets, for `status --json`."""
    if state is None:
        return json.dumps({"phase": StackPhase.STOPPED, "healthy": False, "units": []})
    return json.dumps(
        {
            "phase": state.phase,
            "healthy": is_healthy(state),
            "message": state.message,
            "since": state.since,
            "supervisor_pid": state.supervisor.pid if state.supervisor else None,
            "units": [_unit_json(unit) for unit in state.units],
        },
        indent=1,
    )


def show(state: StackState | None, console: Console) -> None:
    """Print the table."""
    if state is None:
        console.print("no stack is running: start one with ./roas up")
        return
    console.print(f"[bold]{state.phase}[/bold] for {_age(state.since)}: {state.message}")
    console.print(table(state.units))


def table(units: Sequence[UnitState]) -> Table:
    """One line per process."""
    result = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("process", "state", "since", "pid", "restarts", "ports", "last end"):
        result.add_column(column, no_wrap=True)
    for unit in units:
        colour = _COLOURS.get(unit.phase, "dim")
        result.add_row(
            unit.name,
            f"[{colour}]{unit.phase}[/{colour}]",
            _age(unit.since),
            str(unit.process.pid) if unit.process else "-",
            str(unit.restarts),
            ", ".join(str(port) for port in unit.ports.values()),
            unit.last_exit or "-",
        )
    return result


def _unit_json(unit: UnitState) -> dict[str, Any]:
    return {
        "name": unit.name,
        "state": unit.phase,
        "since": unit.since,
        "pid": unit.process.pid if unit.process else None,
        "restarts": unit.restarts,
        "ports": unit.ports,
        "log": unit.log,
        "last_exit": unit.last_exit or None,
    }


def _age(since: float) -> str:
    seconds = max(0, int(time.time() - since))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7_200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h"
