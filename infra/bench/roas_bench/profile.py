"""Where a JVM's CPU time goes: by thread, from the kernel; by method, from Flight Recorder samples.

The kernel's account is complete (garbage collection and compilation included) and costs nothing;
the samples name methods. `jcmd` and `jfr` come with a JDK; without one there are threads only.
"""

import re
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from roas_bench.cpu import thread_times

_RECORDING: Final = "roas-bench"
_COMMAND_SECONDS: Final = 60.0
_STACK_DEPTH: Final = 24
_NUMBERS: Final = re.compile(r"[-#(]?\d+[)/\d]*")


@dataclass(slots=True)
class Profile:
    """CPU time of one process during a measurement."""

    threads: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """CPU seconds by kind of thread (its name without numbers), of those alive at the end."""
    stacks: list[list[str]] = field(default_factory=list)
    """Sampled stacks, the innermost method first."""

    def busiest_threads(self, most: int) -> list[tuple[str, float]]:
        """The kinds of threads that used most, and how much."""
        return sorted(self.threads.items(), key=lambda item: -item[1])[:most]

    def methods(self) -> Counter[str]:
        """How many samples have each method innermost."""
        return Counter(stack[0] for stack in self.stacks if stack)

    def under(self, needle: str) -> int:
        """How many samples have a method anywhere whose name contains `needle`."""
        return sum(any(needle in frame for frame in stack) for stack in self.stacks)


@contextmanager
def profiled(pid: int) -> Iterator[Profile]:
    """Fill a `Profile` with what a JVM does while the block runs."""
    profile = Profile()
    before = thread_times(pid)
    recording = _start(pid)
    try:
        yield profile
    finally:
        for number, (name, seconds) in thread_times(pid).items():
            spent = seconds - before.get(number, (name, 0.0))[1]
            if spent > 0:
                profile.threads[_NUMBERS.sub("", name).strip()] += spent
        if recording:
            profile.stacks = _stop(pid)


def _start(pid: int) -> bool:
    if shutil.which("jcmd") is None or shutil.which("jfr") is None:
        return False
    return _jcmd(pid, "JFR.start", f"name={_RECORDING}", "settings=profile").returncode == 0


def _stop(pid: int) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "recording.jfr"
        _jcmd(pid, "JFR.stop", f"name={_RECORDING}", f"filename={file}")
        command = ["jfr", "print", "--events", "jdk.ExecutionSample"]
        command += ["--stack-depth", str(_STACK_DEPTH), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        return parse_samples(done.stdout)


def parse_samples(text: str) -> list[list[str]]:
    """Stacks in the output of `jfr print`, the innermost method first, without line numbers."""
    stacks: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("stackTrace = ["):
            stacks.append([])
            inside = True
        elif inside and stripped.startswith("]"):
            inside = False
        elif inside and stripped and stripped != "...":
            stacks[-1].append(stripped.partition("(")[0])
    return stacks


def _jcmd(pid: int, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # The process id of the JVM itself, not of the shell that started it.
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    jvm = next((process.pid for process in family if process.name() == "java"), pid)
    return subprocess.run(
        ["jcmd", str(jvm), *arguments], capture_output=True, text=True, timeout=_COMMAND_SECONDS
    )
