"""What ends a comparison."""

from roas_contracts.errors import RoasError


class DifferentResultsError(RoasError):
    """Two contenders did not do the same: their speeds can't be compared."""
