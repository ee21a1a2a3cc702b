"""Running a Typer app so that a person never sees a traceback."""

import errno
import os
import sys
import uuid
from typing import Final, NoReturn

import structlog
import typer

from roas_contracts import exit_codes
from roas_contracts.errors import RoasError

PROGRAM_VARIABLE: Final = "ROAS_PROGRAM"
"""Environment variable with the name that a command line calls itself by in its help."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def run(app: typer.Typer, *, program: str | None = None) -> NoReturn:
    """Run a command line and leave the process with one of `roas_contracts.exit_codes`.

    Its help calls it `program`, else what `ROAS_PROGRAM` says (a front door's name for it), else
    what it was started as.

    - a `RoasError`: its one sentence on stderr and its exit code,
    - Ctrl-C: 130, quietly,
    - a reader of our output that went away (`… | head`): as if all had been read,
    - a disk that is full, which our output goes to: one sentence, 2,
    - anything else is a defect: logged with its traceback under an id, the id in one sentence
      on stderr, 70.
    """
    app.pretty_exceptions_enable = False  # It would print a traceback before we can decide.
    try:
        try:
            app(prog_name=program or os.environ.get(PROGRAM_VARIABLE))
        finally:
            sys.stdout.flush()  # Here, where a failure can still be told as one.
    except RoasError as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(exit_codes.INTERRUPTED)
    except BrokenPipeError:
        _forget_what_is_buffered()
    except OSError as error:
        if error.errno not in _FULL:
            _defect(error)
        _forget_what_is_buffered()
        _say(f"the output can't be written: {error.strerror}")
        sys.exit(exit_codes.USAGE)
    except Exception as error:  # The outermost frame: nobody above could do better.
        _defect(error)
    sys.exit(exit_codes.OK)


def _forget_what_is_buffered() -> None:
    """It could not be written, and would fail again at the end, with a traceback."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _defect(error: Exception) -> NoReturn:
    incident = uuid.uuid4().hex[:8]
    structlog.get_logger("roas_contracts.cli").exception("unexpected error", incident=incident)
    _say(
        f"this is a defect ({type(error).__name__}); its details are in the log under "
        f"incident {incident}"
    )
    sys.exit(exit_codes.INTERNAL)


def _say(sentence: str) -> None:
    print(f"Error: {sentence}", file=sys.stderr)
