"""Running a Typer app so that a person never sees a traceback."""

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


def run(app: typer.Typer, *, program: str | None = None) -> NoReturn:
    """Run a command line and leave the process with one of `roas_contracts.exit_codes`.

    Its help calls it `program`, else what `ROAS_PROGRAM` says (a front door's name for it), else
    what it was started as.

    - a `RoasError`: its one sentence on stderr and its exit code,
    - Ctrl-C: 130, quietly,
    - a reader of our output that went away (`… | head`): as if all had been read,
    - anything else is a defect: logged with its traceback under an id, the id in one sentence
      on stderr, 70.
    """
    app.pretty_exceptions_enable = False  # It would print a traceback before we can decide.
    try:
        app(prog_name=program or os.environ.get(PROGRAM_VARIABLE))
    except RoasError as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(exit_codes.INTERRUPTED)
    except Exception as error:  # The outermost frame: nobody above could do better.
        incident = uuid.uuid4().hex[:8]
        structlog.get_logger("roas_contracts.cli").exception("unexpected error", incident=incident)
        _say(
            f"this is a defect ({type(error).__name__}); its details are in the log under "
            f"incident {incident}"
        )
        sys.exit(exit_codes.INTERNAL)
    sys.exit(exit_codes.OK)


def _say(sentence: str) -> None:
    print(f"Error: {sentence}", file=sys.stderr)
