"""`python -m roas_chaos`."""

from roas_chaos.cli import app
from roas_contracts.service.cli import run

if __name__ == "__main__":
    run(app)
