"""Ports: which are free, and who holds one that is not."""

import random
import socket
from dataclasses import dataclass

import psutil

from roas_contracts.errors import MisconfigurationError

LOOPBACK = "127.0.0.1"

# Below the range from which kernels pick the local ports of outgoing connections: a port from
# there may be taken by any client between a component's kill and its next start.
_FIRST, _LAST = 15_000, 28_000
_ATTEMPTS = 200


@dataclass(frozen=True, slots=True)
class Port:
    """A port and the setting that a user would change to get another one (None: chosen here)."""

    number: int
    setting: str | None = None


def is_free(number: int) -> bool:
    """True if a server can listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set it too: a connection in TIME_WAIT does not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, number))
            probe.listen(1)
        except OSError:
            return False
        return True


def free_port() -> Port:
    """A random free port; raises MisconfigurationError when none is found."""
    for _ in range(_ATTEMPTS):
        number = random.randrange(_FIRST, _LAST)  # (not a secret)
        if is_free(number):
            return Port(number)
    raise MisconfigurationError(f"no free port was found between {_FIRST} and {_LAST}")


def holder(number: int) -> str | None:
    """Name and pid of the process that listens on a port, where the system lets us see it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.AccessDenied, OSError):
        return None
    for connection in connections:
        if connection.status != psutil.CONN_LISTEN or not connection.laddr:
            continue
        if connection.laddr.port == number and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()}, pid {connection.pid}"
            except psutil.Error:
                return f"pid {connection.pid}"
    return None


def require_free(port: Port, purpose: str) -> None:
    """Raise MisconfigurationError, naming the port, its setting and its holder, if it is taken."""
    if is_free(port.number):
        return
    who = holder(port.number)
    by = f" by {who}" if who else ""
    advice = f"; stop that process or set {port.setting} to another port" if port.setting else ""
    raise MisconfigurationError(f"port {port.number} for {purpose} is taken{by}{advice}")
