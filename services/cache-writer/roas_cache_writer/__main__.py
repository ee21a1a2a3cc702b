"""`python -m roas_cache_writer`."""

from roas_cache_writer.cli import app
from roas_contracts.service import cli

if __name__ == "__main__":
    cli.run(app)
