"""Entry point of `python -m roas_bench`."""

from roas_bench.cli import app
from roas_contracts.service.cli import run

if __name__ == "__main__":
    run(app)
