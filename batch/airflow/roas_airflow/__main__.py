"""`python -m roas_airflow`."""

import sys

from roas_airflow.cli import app, pass_through
from roas_contracts.service import cli

if __name__ == "__main__":
    pass_through(sys.argv[1:])
    cli.run(app)
