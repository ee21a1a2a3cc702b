"""Becomes another program, after tying its life to the parent's and giving up root.

Run as a script with nothing but the standard library:
`python -I -S launch.py PARENT_PID UID GID -- program arguments` (UID and GID -1: keep them).

A separate step instead of subprocess' `preexec_fn`, which is unsafe where threads run.
"""

import ctypes
import os
import signal
import sys
from typing import ClassVar

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_: ClassVar = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilitySet(ctypes.Structure):
    _fields_: ClassVar = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def drop_root(uid: int, gid: int) -> None:
    """Become another user, keeping only the right to read.

    A checkout often lies in root's home, whose mode 700 would hide the program's own files from
    it. Keeping CAP_DAC_READ_SEARCH (read and search, never write) is the least that helps.
    """
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if libc is not None:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if libc is not None:
        mask = 1 << _CAP_DAC_READ_SEARCH
        header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
        sets = (_CapabilitySet * 2)(_CapabilitySet(mask, mask, mask), _CapabilitySet(0, 0, 0))
        # Where the capability itself was taken from root, what is left is plain file modes.
        if libc.capset(ctypes.byref(header), sets) == 0:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)


def die_with_parent(parent: int) -> None:
    """Ask the kernel for SIGKILL when the parent dies (Linux; elsewhere `up` and `down` sweep)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before the request was in place
        os._exit(1)


def main(argv: list[str]) -> None:
    """Parse the arguments and become the program; exits 127 when it can't be started."""
    parent, uid, gid, separator, *program = argv
    if separator != "--" or not program:
        sys.exit("usage: launch.py PARENT_PID UID GID -- PROGRAM [ARGUMENT…]")
    if int(uid) >= 0:
        drop_root(int(uid), int(gid))
    # After the change of user, which clears the request.
    die_with_parent(int(parent))
    try:
        os.execvp(program[0], program)  # noqa: S606
    except OSError as error:
        print(f"{program[0]} can't be started: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
