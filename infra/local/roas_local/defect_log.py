"""Where the traceback of a defect goes, so that it is not in a person's way."""

import sys
from pathlib import Path

import structlog


def configure(path: Path) -> None:
    """Send structlog's events to a file, which is opened with the first of them."""

    def open_logger(*_: object) -> structlog.WriteLogger:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return structlog.WriteLogger(path.open("a", encoding="utf-8"))
        except OSError:  # a full or read-only disk must not hide the defect
            return structlog.WriteLogger(sys.stderr)

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=open_logger,
    )
