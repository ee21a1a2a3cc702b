"""kill -9, at any moment or with proof of what it interrupted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psutil

from roas_chaos.plan import Aim, Kill, Target
from roas_chaos.witnesses import HOLDERS, Witnesses

_AIM_SECONDS: Final = 60.0
_LOOK_AGAIN_SECONDS: Final = 0.1
_LONGEST_NAP_SECONDS: Final = 0.03

FindProcess = Callable[[Target], psutil.Process | None]


class Striker:
    """Kills processes.

    An aimed kill stops (SIGSTOP) the one process without which the thing under way can't come to
    its end, asks the witness, and kills while the answer still holds; then the stopped process, if
    it is another one, goes on. So the proof does not depend on who was faster.

    Args:
        find: the process of a target, None while there is none.
        witnesses: who is asked.
        chance: decides about the moments.
        tend: called while waiting.
    """

    def __init__(
        self,
        find: FindProcess,
        witnesses: Witnesses,
        chance: random.Random,
        tend: Callable[[], object],
    ) -> None:
        self._find = find
        self._witnesses = witnesses
        self._chance = chance
        self._tend = tend

    def strike(self, kill: Kill) -> str | None:
        """Kill; the proof of what was interrupted, None without an aim or where it was missed."""
        if kill.aim is Aim.ANY:
            self._kill(kill.target)
            return None
        self._witnesses.forget_abandoned_checkpoints()
        deadline = time.monotonic() + _AIM_SECONDS
        while time.monotonic() < deadline:
            proof = self._attempt(kill)
            if proof is not None:
                return proof
            self._tend()
            time.sleep(self._chance.uniform(0.0, _LONGEST_NAP_SECONDS))
        self._kill(kill.target)
        return None

    def _attempt(self, kill: Kill) -> str | None:
        if self._witnesses.testimony(kill.aim) is None:
            return None
        holder, target = self._find(HOLDERS[kill.aim]), self._find(kill.target)
        if holder is None or target is None:
            return None
        with suppress(psutil.NoSuchProcess), stopped(holder):
            if self._witnesses.testimony(kill.aim) is None:
                return None
            # What the holder had said before it was stopped is known to everyone by now.
            time.sleep(_LOOK_AGAIN_SECONDS)
            proof = self._witnesses.testimony(kill.aim)
            if proof is not None:
                target.kill()
            return proof
        return None

    def _kill(self, name: Target) -> None:
        deadline = time.monotonic() + _AIM_SECONDS
        while time.monotonic() < deadline:
            process = self._find(name)
            if process is not None:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
                    return
            self._tend()  # It is being started again after an earlier kill.
            time.sleep(_LOOK_AGAIN_SECONDS)


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """SIGSTOP for the length of a `with`; a process that was killed meanwhile is no error."""
    process.suspend()
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.resume()
