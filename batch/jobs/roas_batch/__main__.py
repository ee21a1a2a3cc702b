"""`python -m roas_batch`."""

from roas_batch.cli import app
from roas_contracts.service import cli

if __name__ == "__main__":
    cli.run(app)
