"""Building and testing the repository: `./roas pants …` and `./roas test`.

Running the stack needs none of this.

- `find_pants`, `run_pants`: Pants by its official launcher, else from the package index.
- `run_tests`: every check of the repository in order, closed by one summary line.
"""

from roas_build.launcher import PantsLauncher, find_pants, run_pants
from roas_build.pipeline import run_tests

__all__ = ["PantsLauncher", "find_pants", "run_pants", "run_tests"]
