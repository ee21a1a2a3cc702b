"""The ledger: does every lineage of the stream tell the same numbers?

It reads Kafka's own event records, the dead letters, the metrics topics, the PostgreSQL tables
and Redis, each on its own, and names every place where two of them differ.
"""

__version__ = "0.1.0"
