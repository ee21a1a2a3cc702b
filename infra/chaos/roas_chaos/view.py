"""What a person sees while it runs: a live screen, or a line for each thing that happens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from roas_chaos.plan import Aim, Kill
from roas_chaos.report import Outcome
from roas_local import demo_view
from roas_local.demo_feed import Snapshot

_SHOWN_KILLS: Final = 14


class View(Protocol):
    """Is told what happens."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def say(self, sentence: str) -> None:
        """Something worth a line."""

    def killed(self, outcome: Outcome) -> None:
        """A kill was done."""

    def recovered(self, outcome: Outcome) -> None:
        """The pipeline works again after a kill."""

    def seen(self, snapshot: Snapshot) -> None:
        """The present numbers."""


class Lines:
    """One line each, for a log."""

    def __init__(self, console: Console, kills: int) -> None:
        self._console = console
        self._kills = kills
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, sentence: str) -> None:
        """Something worth a line."""
        passed = time.monotonic() - self._began
        self._console.print(Text(f"{passed:6.0f} s  {sentence}"), soft_wrap=True)

    def killed(self, outcome: Outcome) -> None:
        """A kill was done."""
        kill = outcome.kill
        self.say(f"{kill.number}/{self._kills} killed {describe(kill)}")
        if outcome.proof is not None:
            self.say(f"      {outcome.proof}")
        elif kill.aim is not Aim.ANY:
            self.say("      (missed: it was not under way)")

    def recovered(self, outcome: Outcome) -> None:
        """The pipeline works again after a kill."""
        seconds = outcome.recovered_seconds or 0.0
        self.say(
            f"{outcome.kill.number}/{self._kills} {outcome.kill.target}: working again after"
            f" {seconds:.1f} s"
        )

    def seen(self, snapshot: Snapshot) -> None:
        """The present numbers: a log has no use for them."""


class Screen:
    """A table of the last kills and the live numbers."""

    def __init__(self, console: Console, kills: int, seed: int) -> None:
        self._live = Live(console=console, refresh_per_second=4)
        self._title = f"chaos · seed {seed} · {kills} kills"
        self._outcomes: list[Outcome] = []
        self._began = time.monotonic()
        self._numbers = Text("waiting for the first window to close")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, sentence: str) -> None:
        """Something worth a line."""
        self._live.console.print(Text(sentence))

    def killed(self, outcome: Outcome) -> None:
        """A kill was done."""
        self._outcomes.append(outcome)
        self._draw()

    def recovered(self, outcome: Outcome) -> None:
        """The pipeline works again after a kill."""
        self._draw()

    def seen(self, snapshot: Snapshot) -> None:
        """The present numbers."""
        self._numbers = Text(demo_view.line(snapshot, time.monotonic() - self._began))
        self._draw()

    def _draw(self) -> None:
        self._live.update(Group(_table(self._title, self._outcomes), self._numbers))


def describe(kill: Kill) -> str:
    """A kill in some words."""
    inside = "at any moment" if kill.aim is Aim.ANY else f"inside {kill.aim}"
    return f"{kill.target} {inside}" + ("" if kill.recovered_first else ", on top of the last one")


def _table(title: str, outcomes: Sequence[Outcome]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("kill", "target", "inside", "proof", "works again after"):
        table.add_column(name)
    for outcome in outcomes[-_SHOWN_KILLS:]:
        kill, took = outcome.kill, outcome.recovered_seconds
        table.add_row(
            str(kill.number),
            kill.target,
            "-" if kill.aim is Aim.ANY else kill.aim,
            Text(outcome.proof or "-", overflow="ellipsis", no_wrap=True),
            "…" if took is None else f"{took:.1f} s",
        )
    return table
