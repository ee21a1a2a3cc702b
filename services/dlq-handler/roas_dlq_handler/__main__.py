"""`python -m roas_dlq_handler`."""

from roas_contracts.service import cli
from roas_dlq_handler.cli import app

if __name__ == "__main__":
    cli.run(app)
