"""The batch's work (`./roas batch`): Kafka to archive, archive to event days in PostgreSQL.

`planning` (what is to do; pure), `kafka` (offset ranges as they stand), `judging` (what a record
is), `archiving` (range to files), `catalog` (what PostgreSQL knows of the archive), `loading`
(files to rows), `rebuilding` (a day, all of it or nothing). `app` wires them, `cli` has the verbs.
"""

from typing import Final

SERVICE: Final = "batch"
"""The name in logs, and of its Kafka clients."""

__version__: Final = "0.1.0"

STREAM_GROUP: Final = "ctr-stream"
"""The consumer group whose view of a record is ours: what is for another group is skipped."""
