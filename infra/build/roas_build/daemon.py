"""Stops the background process that Pants keeps for a checkout."""

from pathlib import Path

import psutil

_STOP_SECONDS = 10


def stop(root: Path) -> None:
    """Stop pantsd of the checkout `root`; nothing happens where none runs."""
    for pid_file in root.glob(".pids/*/pantsd/pid"):
        try:
            process = psutil.Process(int(pid_file.read_text("utf-8")))
            # The number may have gone to another program since.
            if not any(part.startswith("pantsd") for part in process.cmdline()):
                continue
            process.terminate()
            process.wait(_STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
        except (psutil.Error, OSError, ValueError):
            continue
