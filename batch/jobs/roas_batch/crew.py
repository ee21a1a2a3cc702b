"""Work on several cores: processes that end when this one does.

Each worker has a pipe of its own, so a dead one is noticed at once, and one whose parent was killed
finds its pipe closed when it is done with the task at hand.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from roas_contracts.errors import TransientError

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result]:
    """The result of `work` for each task, in the order in which they are done.

    Args:
        work: a function of a module; tasks, results and errors travel between processes.
        tasks: what to do.
        workers: how many processes; with one, or one task, it is done in this one.

    Raises:
        TransientError: a worker was killed.
        Exception: whatever `work` raises.
    """
    if min(workers, len(tasks)) <= 1:
        yield from map(work, tasks)
        return
    # Not forked: polars and librdkafka have threads, which a fork does not copy.
    context = multiprocessing.get_context("spawn")
    waiting = list(reversed(tasks))
    crew: dict[Connection[Any, Any], Any] = {}
    try:
        for _ in range(min(workers, len(tasks))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, work), daemon=True)
            process.start()
            theirs.close()
            crew[ours] = process
            ours.send(waiting.pop())
        busy = set(crew)
        while busy:
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                try:
                    error, result = ready.recv()
                except (EOFError, ConnectionError):
                    raise TransientError(
                        "a process that was loading was killed (out of memory?): nothing has "
                        "changed; the same command again starts anew"
                    ) from None
                if error is not None:
                    raise error
                if waiting:
                    ready.send(waiting.pop())
                else:
                    busy.discard(ready)
                yield result
    finally:
        for connection, process in crew.items():
            connection.close()
            process.terminate()
            process.join()


def _serve(tasks: Connection[Any, Any], work: Callable[[Any], Any]) -> None:
    # Ctrl-C reaches everyone in the terminal; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            task = tasks.recv()
        except EOFError:
            return
        answer: tuple[Exception | None, Any]
        try:
            answer = (None, work(task))
        except Exception as error:  # It is raised again in the parent.
            answer = (error, None)
        try:
            tasks.send(answer)
        except ConnectionError:  # The parent is gone.
            return
