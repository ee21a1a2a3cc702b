"""The composition root: a stack, traffic, kills, the ledger."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from rich.console import Console
from rich.text import Text

from roas_chaos.plan import Kill, Target, plan
from roas_chaos.report import Outcome, Report
from roas_chaos.striking import Striker
from roas_chaos.traffic import Traffic, TrafficEndedError
from roas_chaos.view import Lines, Screen, View
from roas_chaos.witnesses import Witnesses
from roas_chaos.wounds import Starts, Wound, starts
from roas_contracts import exit_codes
from roas_contracts.errors import TransientError
from roas_local import control
from roas_local.demo_feed import Snapshot
from roas_local.demo_traffic import generated
from roas_local.stack import StackFolders
from roas_local.stack_session import StackSession, own_stack, settle
from roas_local.state import StackState

SPEED: Final = 60.0
"""Event time runs so many times faster: a one-minute window closes each second."""

IMPRESSIONS_PER_SECOND: Final = 2_000
"""Of wall clock. Few enough that two cores catch up after each kill."""

_FIRST_WINDOW_SECONDS: Final = 180.0
_RECOVERY_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 0.25
_LAST_TRAFFIC_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for."""

    folder: Path
    """Of the stack; what is in it is removed."""
    kills: int
    seed: int
    seconds: float | None
    """No kill begins later than this; None: all are done."""
    headless: bool
    keep: bool
    """Keep data and logs also when all went well."""
    quiet: bool
    """Leave stdout to the caller."""


class NotRecoveredError(TransientError):
    """The pipeline does not work again: more kills would tell nothing."""


def run(request: Request) -> Report:
    """Start a stack, kill as planned while traffic flows, and ask the ledger.

    Raises:
        MisconfigurationError: a stack is running already, a port is taken, the disk is full.
        TransientError: the stack can't be started.
    """
    stderr = Console(stderr=True)
    traffic = generated(None, None, SPEED, IMPRESSIONS_PER_SECOND)
    report = Report(request.seed, request.kills)
    with own_stack(StackFolders(request.folder), traffic, stderr) as session:
        producer = session.producer(traffic)
        view: View = (
            Lines(stderr, request.kills)
            if request.headless or not stderr.is_terminal
            else Screen(stderr, request.kills, request.seed)
        )
        chaos = _Chaos(session, Traffic(producer), request, report, view)
        try:
            chaos.run()
        finally:
            producer.stop()
        _judge(session, report, request.quiet)
    if report.exit_code == exit_codes.OK and not request.keep:
        shutil.rmtree(request.folder, ignore_errors=True)
    else:
        stderr.print(Text(f"data and logs of this run: {request.folder}"))
    return report


def _judge(session: StackSession, report: Report, quiet: bool) -> None:
    file = session.folders.root / "ledger.json"
    report.ledger_code = session.verify(file, quiet=quiet)
    if file.exists():
        report.ledger = json.loads(file.read_text())


class _Chaos:
    """The part of a run in which traffic flows."""

    def __init__(
        self,
        session: StackSession,
        traffic: Traffic,
        request: Request,
        report: Report,
        view: View,
    ) -> None:
        self._session = session
        self._traffic = traffic
        self._request = request
        self._report = report
        self._view = view
        self._feed = session.feed(traffic.producer)
        self._snapshot = Snapshot()
        self._wounds: list[tuple[Wound, Outcome]] = []
        self._began = time.monotonic()
        self._striker = Striker(
            self._process,
            Witnesses(session.state.environment),
            random.Random(request.seed),
            self._watch,
        )

    def run(self) -> None:
        """Traffic, kills, and the end of the traffic. What goes wrong is in the report."""
        with closing(self._feed), self._view:
            try:
                self._traffic.start()
                self._view.say("traffic flows; Ctrl-C ends the kills, the ledger follows")
                self._until(lambda: bool(self._snapshot.complete_until), _FIRST_WINDOW_SECONDS)
                for kill in plan(self._request.kills, self._request.seed):
                    if self._time_is_up():
                        break
                    self._one(kill)
                self._recover()
                self._pause(_LAST_TRAFFIC_SECONDS)
                self._traffic.stop()
                settle(self._feed, self._view.seen)
            except KeyboardInterrupt:
                self._report.failure = "interrupted"
            except (NotRecoveredError, TrafficEndedError) as error:
                self._report.failure = str(error)
            self._report.producer_own_ends = self._traffic.own_ends
            if self._report.failure:
                self._view.say(f"given up: {self._report.failure}; the ledger follows")

    def _one(self, kill: Kill) -> None:
        if kill.recovered_first:
            self._recover()
        self._pause(kill.pause_seconds)
        restarts = self._starts().restarts[kill.target]
        if kill.target is Target.PRODUCER:
            self._traffic.about_to_be_killed()
        proof = self._striker.strike(kill)
        now = time.monotonic()
        outcome = Outcome(kill, now - self._began, proof)
        # The producer told it a moment ago; a killed one tells nothing.
        clock = self._feed.read().event_clock or 0
        self._wounds.append((Wound(kill, now, restarts, clock), outcome))
        self._report.outcomes.append(outcome)
        self._view.killed(outcome)

    def _recover(self) -> None:
        """Wait until the pipeline works again after all kills. Raises NotRecoveredError."""
        self._until(lambda: not self._wounds, _RECOVERY_SECONDS)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._look()

    def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise NotRecoveredError(f"the pipeline does not work within {seconds:.0f} s")
            self._look()

    def _look(self) -> None:
        """Watch, see who has recovered, wait a moment."""
        self._watch()
        now, seen = time.monotonic(), self._starts()
        for wound, outcome in list(self._wounds):
            if wound.healed(seen, self._snapshot, SPEED):
                self._wounds.remove((wound, outcome))
                outcome.recovered_seconds = now - wound.at
                self._view.recovered(outcome)
        time.sleep(_POLL_SECONDS)

    def _watch(self) -> None:
        """Tend the producer and read the numbers."""
        self._traffic.tend()
        self._snapshot = self._feed.read()
        self._view.seen(self._snapshot)

    def _starts(self) -> Starts:
        units = {unit.name: unit for unit in self._state().units}
        return starts(units, self._traffic.restarts, self._traffic.producer.running)

    def _process(self, target: Target) -> psutil.Process | None:
        if target is Target.PRODUCER:
            return self._traffic.process()
        found = next(unit for unit in self._state().units if unit.name == target).process
        return None if found is None else found.process()

    def _state(self) -> StackState:
        state = control.running_state(self._session.folders)
        if state is None:
            raise NotRecoveredError("the stack's supervisor has ended")
        return state

    def _time_is_up(self) -> bool:
        limit = self._request.seconds
        return limit is not None and time.monotonic() - self._began >= limit
