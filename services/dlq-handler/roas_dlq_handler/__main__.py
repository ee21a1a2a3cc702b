"""`python -m roas_dlq_handler`."""

import signal

# While everything is imported nobody could say it better: Ctrl-C ends the process, not an import
# with a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from roas_contracts.service import cli  # noqa: E402
from roas_dlq_handler.cli import app  # noqa: E402

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.run(app)
