"""The dead letters' PostgreSQL."""

from __future__ import annotations

from typing import Final

from roas_contracts.postgres import Connection, Database

__all__ = ["Connection", "connect", "translated"]

_DATABASE: Final = Database(
    "ROAS_DLQ_HANDLER_POSTGRES_DSN",
    "the errors schema",
    "-c lock_timeout=5s -c statement_timeout=120s -c idle_in_transaction_session_timeout=60s",
)

connect = _DATABASE.connect
translated = _DATABASE.translated
