"""`python -m roas_fuzz`."""

from roas_contracts.service.cli import run
from roas_fuzz.cli import app

if __name__ == "__main__":
    run(app)
