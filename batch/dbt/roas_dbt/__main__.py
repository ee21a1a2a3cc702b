"""Entry point of `python -m roas_dbt`."""

from roas_contracts.service.cli import run
from roas_dbt.cli import app

if __name__ == "__main__":
    run(app)
