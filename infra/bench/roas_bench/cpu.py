"""CPU time and memory of processes: what a benchmark counts instead of the wall clock.

CPU seconds hold on a machine that does other things as well; wall-clock seconds do not.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

FIXED_COMPILERS: Final = "-XX:-UseDynamicNumberOfCompilerThreads"
"""A JVM that is to be measured is started with this: a compiler thread that ends takes its account
with it."""

_SAMPLE_SECONDS = 0.5


@dataclass(slots=True)
class Usage:
    """What one or more process trees used during a measurement."""

    cpu_seconds: float = 0.0
    """User and system time."""
    compiler_seconds: float = 0.0
    """Of these, what the just-in-time compilers of JVMs took."""
    wall_seconds: float = 0.0
    peak_bytes: int = 0
    """Largest resident memory of the trees together, as sampled twice a second."""


def cpu_seconds(*pids: int) -> float:
    """User and system time that processes and their living descendants have used so far.

    A child that has ended counts as soon as its parent has waited for it.
    """
    return sum(_process_cpu(process) for process in _trees(pids))


def resident_bytes(*pids: int) -> int:
    """Resident memory of processes and their descendants."""
    return sum(_resident(process) for process in _trees(pids))


def compiler_seconds(*pids: int) -> float:
    """CPU time of JVMs' compiler threads, which must be kept alive (FIXED_COMPILERS)."""
    return sum(
        seconds
        for process in _trees(pids)
        for name, seconds in thread_times(process.pid).values()
        if "CompilerThre" in name
    )


def thread_times(pid: int) -> dict[int, tuple[str, float]]:
    """Name, cut at 15 characters, and CPU seconds of each living thread of a process."""
    found: dict[int, tuple[str, float]] = {}
    with suppress(psutil.Error, OSError):
        for thread in psutil.Process(pid).threads():
            with suppress(OSError):  # It has ended.
                name = Path(f"/proc/{pid}/task/{thread.id}/comm").read_text().strip()
                found[thread.id] = (name, thread.user_time + thread.system_time)
    return found


@contextmanager
def measured(*pids: int) -> Iterator[Usage]:
    """Fill a `Usage` with what the process trees use while the block runs."""
    usage = Usage()
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            usage.peak_bytes = max(usage.peak_bytes, resident_bytes(*pids))

    sampler = threading.Thread(target=sample, name="memory sampler", daemon=True)
    compiler_before = compiler_seconds(*pids)
    cpu_before, wall_before = cpu_seconds(*pids), time.monotonic()
    sampler.start()
    try:
        yield usage
    finally:
        usage.wall_seconds = time.monotonic() - wall_before
        usage.cpu_seconds = cpu_seconds(*pids) - cpu_before
        usage.compiler_seconds = compiler_seconds(*pids) - compiler_before
        ended.set()
        sampler.join()
        usage.peak_bytes = max(usage.peak_bytes, resident_bytes(*pids))


def _trees(pids: tuple[int, ...]) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        try:
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                found[process.pid] = process
        except psutil.Error:
            continue
    return list(found.values())


def _process_cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0
