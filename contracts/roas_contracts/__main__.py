"""`python -m roas_contracts`."""

from roas_contracts.cli import app
from roas_contracts.service.cli import run

if __name__ == "__main__":
    run(app)
