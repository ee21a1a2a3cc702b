"""``python -m roas_producer``."""

from roas_contracts.service.cli import run
from roas_producer.cli import app

if __name__ == "__main__":
    run(app)
