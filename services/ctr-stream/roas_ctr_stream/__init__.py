"""ctr-stream: from ad events to the deltas of one-minute and five-minute windows, on Flink."""

from typing import Final

__version__: Final = "0.1.0"
SERVICE: Final = "ctr-stream"
GROUP: Final = "ctr-stream"
"""Consumer group, and the name in dead letters and for `roas-for-group`."""
JOB_NAME: Final = "roas-ctr-stream"
"""The job's name in the cluster: there is never more than one of it."""
