"""`python -m roas_ctr_stream`."""

from roas_contracts.service.cli import run
from roas_ctr_stream.cli import app

if __name__ == "__main__":
    run(app)
