"""`python -m roas_chaos`."""

from roas_chaos.cli import app
from roas_contracts.service.cli import run
from roas_local import defect_log
from roas_local.layout import current

if __name__ == "__main__":
    defect_log.configure(current().home / "roas.log")
    run(app)
