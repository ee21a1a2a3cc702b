"""Structured logs: JSON lines on stderr, readable ones where a person watches a terminal."""

import logging
import os
import sys
from typing import Final

import structlog
from structlog.typing import Processor

from roas_contracts.errors import MisconfigurationError

LEVEL_VARIABLE: Final = "ROAS_LOG_LEVEL"
"""Environment variable with the lowest level to show: debug, info, warning, error."""

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(service: str, version: str, usual_level: str = "info") -> None:
    """Send structlog's and the standard library's logs to stderr, one event a line.

    Every line carries `timestamp` (UTC), `level`, `logger`, `event`, `service` and `version`.
    Call it once, in the composition root.

    Args:
        service: its name.
        version: its version.
        usual_level: where `ROAS_LOG_LEVEL` says nothing; "error" suits a command whose one sentence
            must not drown in the warnings of its clients.

    Raises:
        MisconfigurationError: `ROAS_LOG_LEVEL` is none of the four levels.
    """
    level = _level(usual_level)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _identity(service, version),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(sys.stderr.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # A line per registry request says nothing to anybody.
    for chatty in ("httpx", "httpx2", "httpcore"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))


def _level(usual: str) -> int:
    name = os.environ.get(LEVEL_VARIABLE, usual).lower()
    if name not in _LEVELS:
        raise MisconfigurationError(
            f"{LEVEL_VARIABLE} must be one of {', '.join(_LEVELS)}, not {name!r}"
        )
    return _LEVELS[name]


def _identity(service: str, version: str) -> Processor:
    def add(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event["service"] = service
        event["version"] = version
        return event

    return add


def _renderers(for_a_person: bool) -> list[Processor]:
    # Never the local variables: they hold data source names, passwords included.
    if for_a_person:
        readable = structlog.dev.RichTracebackFormatter(show_locals=False)
        return [structlog.dev.ConsoleRenderer(exception_formatter=readable)]
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [
        structlog.processors.ExceptionRenderer(frames),
        structlog.processors.JSONRenderer(default=str),
    ]
