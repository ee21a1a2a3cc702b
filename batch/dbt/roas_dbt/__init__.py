"""dbt marts: daily figures, computed from the raw events of whole days.

The project (models, tests) is in `project`; this package starts dbt on it. Start with `app` (what a
build is), then `results` (what came of it).
"""

from typing import Final

SERVICE: Final = "dbt"
"""The name in logs."""

__version__: Final = "0.1.0"
