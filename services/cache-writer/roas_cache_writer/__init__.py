"""cache-writer: metrics topics to PostgreSQL and Redis, each delta exactly once.

Start with `writer` (the loop), then `batch` (what a poll of records amounts to), `store`
(PostgreSQL, the truth) and `cache` (Redis, rebuilt from it at any time). `app` wires them.
"""

from typing import Final

from roas_contracts.consuming.positions import Reader

SERVICE: Final = "cache-writer"
"""The service's name in logs, dead letters and as its consumer group."""

__version__: Final = "0.1.0"

READER: Final = Reader(SERVICE, "ROAS_CACHE_WRITER_")
