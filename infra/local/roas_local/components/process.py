"""What every component is: one process of its own, with a folder, a log and a readiness check."""

import atexit
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from roas_contracts.errors import TransientError
from roas_local import launch
from roas_local.ports import Port, require_free

_POLL_SECONDS = 0.1
_LOG_TAIL_LINES = 12
_LOG_TAIL_WIDTH = 300
_LOG_MAX_BYTES = 32 * 1024 * 1024

# The kernel ties "parent death" to the thread that started a process, so all of them are started
# by one thread that lives as long as the interpreter.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
atexit.register(_spawner.shutdown)


@dataclass(frozen=True, slots=True)
class Identity:
    """User and group a program runs as instead of root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Launch:
    """How a process is started. `env` is added to the current environment."""

    argv: Sequence[str | Path]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    identity: Identity | None = None


class ComponentError(TransientError):
    """A component did not start, did not become ready, or ended by itself."""


def launch_argv(launch_: Launch) -> list[str]:
    """Arguments that start a program through the launcher, tied to this process' life."""
    identity = launch_.identity or Identity(-1, -1)
    launcher = [sys.executable, "-I", "-S", str(Path(launch.__file__))]
    numbers = [str(os.getpid()), str(identity.uid), str(identity.gid)]
    return [*launcher, *numbers, "--", *map(str, launch_.argv)]


def run_to_end(launch_: Launch, log_path: Path, timeout_s: float, stdin: bytes = b"") -> None:
    """Run a short program to its end, with its output in the log.

    Raises:
        ComponentError: it failed or took longer than `timeout_s`.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        process = _popen(launch_, log.fileno(), subprocess.PIPE)
    try:
        process.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise ComponentError(f"{launch_.argv[0]} did not end within {timeout_s:.0f} s") from None
    finally:
        _kill_group(process.pid)
        process.wait()
    if process.returncode != 0:
        raise ComponentError(
            f"{launch_.argv[0]} failed (exit code {process.returncode}):\n{log_tail(log_path)}"
        )


def log_tail(log_path: Path, lines: int = _LOG_TAIL_LINES) -> str:
    """The last lines of a log, indented, for an error message."""
    try:
        with log_path.open("rb") as log:
            log.seek(max(0, log_path.stat().st_size - 16_384))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return f"  (no log at {log_path})"
    return "\n".join(f"  {line[:_LOG_TAIL_WIDTH]}" for line in text.splitlines()[-lines:])


def _popen(launch_: Launch, output: int, stdin: int) -> "subprocess.Popen[bytes]":
    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            launch_argv(launch_),
            cwd=launch_.cwd,
            env={**os.environ, **launch_.env},
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own: the terminal's Ctrl-C reaches the supervisor only, which then
            # stops the components in their order.
            start_new_session=True,
        )

    return _spawner.submit(start).result()


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


class ManagedProcess(ABC):
    """One component: a context manager around one operating system process.

    Data and configuration lie in `directory` and survive `stop`, `kill` and the next `start`,
    which also keeps the ports. Not thread-safe.
    """

    name: str = "component"
    ready_timeout_s: float = 60.0
    stop_timeout_s: float = 20.0
    stop_signal: signal.Signals = signal.SIGTERM

    def __init__(self, directory: Path | str, log_path: Path | None = None) -> None:
        self.directory = Path(directory).absolute()
        self.log_path = log_path or self.directory / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._swept = True

    # What a component defines.

    @abstractmethod
    def launch(self) -> Launch:
        """The program to start; called after `prepare`."""

    @abstractmethod
    def probe(self) -> bool:
        """One quick readiness check (at most a few seconds); False or any exception: not yet."""

    def ports(self) -> Mapping[str, Port]:
        """Ports the process listens on, by purpose."""
        return {}

    def prepare(self) -> None:
        """Write configuration and format storage; safe to repeat."""
        self.directory.mkdir(parents=True, exist_ok=True)

    # What users of a component call.

    @property
    def pid(self) -> int | None:
        """Process id while it runs, else None."""
        return self._process.pid if self._process and self.exit_code is None else None

    @property
    def running(self) -> bool:
        """True while the process exists."""
        return self.pid is not None

    @property
    def exit_code(self) -> int | None:
        """How the last process ended: exit code, or minus the signal; None while it runs."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            self._sweep()
        return code

    def start(self) -> Self:
        """Start and wait until ready. Raises ComponentError or MisconfigurationError."""
        self.spawn()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def spawn(self) -> None:
        """Start without waiting. Raises MisconfigurationError when a port is taken."""
        if self.running:
            return
        for purpose, port in self.ports().items():
            require_free(port, purpose)
        self.prepare()
        self._open_log()
        with self.log_path.open("ab") as log:
            self._process = _popen(self.launch(), log.fileno(), subprocess.DEVNULL)
        self._swept = False

    def wait_ready(self, timeout_s: float | None = None) -> None:
        """Wait until ready, watching the process. Raises ComponentError with the log's end."""
        limit = self.ready_timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + limit
        while not self.ready():
            if not self.running:
                raise ComponentError(self.describe_exit())
            if time.monotonic() > deadline:
                raise ComponentError(
                    f"{self.name} was not ready within {limit:.0f} s; the end of its log "
                    f"({self.log_path}):\n{log_tail(self.log_path)}"
                )
            time.sleep(_POLL_SECONDS)

    def ready(self) -> bool:
        """True if the process runs and answers as it should."""
        if not self.running:
            return False
        try:
            return self.probe()
        except Exception:  # Whatever a client library raises, the answer is "not yet".
            return False

    def describe_exit(self) -> str:
        """One sentence on how the process ended, and the end of its log."""
        code = self.exit_code
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return (
            f"{self.name} ended by itself ({how}); the end of its log ({self.log_path}):\n"
            f"{log_tail(self.log_path)}"
        )

    def stop(self) -> None:
        """Ask it to end, wait, then force it; nothing of it is left. Safe to repeat."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """kill -9, as a crash would: no chance to flush anything."""
        self._end(signal.SIGKILL)

    def wait_exit(self, timeout_s: float) -> int:
        """Wait until the process has ended by itself and return its exit code."""
        if self._process is None:
            raise ComponentError(f"{self.name} was not started")
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ComponentError(f"{self.name} did not end within {timeout_s:.0f} s") from None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        family = _descendants(process.pid)
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(self.stop_timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._sweep()
        # Children that made sessions of their own (PostgreSQL's do) are not in the group.
        _kill_all(family)

    def _sweep(self) -> None:
        # Once, as soon as the end is seen: later the group's number may belong to others.
        if self._process is not None and not self._swept:
            self._swept = True
            _kill_group(self._process.pid)

    def _open_log(self) -> None:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_MAX_BYTES:
            self.log_path.replace(self.log_path.with_name(f"{self.log_path.name}.1"))


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _kill_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()  # psutil checks the start time: a reused pid is left alone
        except psutil.Error:
            continue
    psutil.wait_procs(processes, timeout=5.0)


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Poll a condition until it holds. Raises ComponentError naming `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise ComponentError(f"{what} within {timeout_s:.0f} s")
        time.sleep(_POLL_SECONDS)
