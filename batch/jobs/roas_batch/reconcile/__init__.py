"""`batch reconcile`: a day of realtime against batch against Kafka, each difference with its cause.

`causes` decides (pure), `figures` is the SQL behind it, `deltas` reads the metrics topics,
`unarchived` and `dead_letters` what explains a difference, `coverage` holds the archive against
Kafka's offsets, `comparison` puts them together, `corrections` sends what is wrong in the stream's
figures as CORRECTION deltas, `run` is one run from start to end.
"""
