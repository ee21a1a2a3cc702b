"""Becomes another program that the kernel ends when its parent ends.

Run as a script with nothing but the standard library:
`python -I -S leash.py PARENT_PID -- program arguments`.

A task that is killed with kill -9 is tried again at once: without this the first one's tool would
still be at work.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Parse the arguments and become the program; exits 127 when it can't be started."""
    parent, separator, *program = argv
    if separator != "--" or not program:
        sys.exit("usage: leash.py PARENT_PID -- PROGRAM [ARGUMENT…]")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != int(parent):  # it ended before the request was in place
            os._exit(1)
    try:
        os.execvp(program[0], program)  # noqa: S606
    except OSError as error:
        print(f"{program[0]} can't be started: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
