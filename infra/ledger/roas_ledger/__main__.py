"""Entry point of `python -m roas_ledger`."""

from roas_contracts.service.cli import run
from roas_ledger.cli import app

if __name__ == "__main__":
    run(app)
