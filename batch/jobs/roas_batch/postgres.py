"""The batch's PostgreSQL."""

from __future__ import annotations

from typing import Final

from roas_contracts.postgres import Connection, Database

__all__ = ["Connection", "connect", "translated"]

_DATABASE: Final = Database(
    "ROAS_BATCH_POSTGRES_DSN",
    "the batch's tables",
    "-c idle_in_transaction_session_timeout=10min",
)

connect = _DATABASE.connect
translated = _DATABASE.translated
