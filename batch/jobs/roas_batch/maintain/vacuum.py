"""VACUUM and ANALYZE of what the batch and realtime write."""

from __future__ import annotations

from typing import Final

from psycopg import sql

from roas_batch.postgres import Connection

_SCHEMAS: Final = ("raw", "batch", "realtime", "errors")


def vacuum(connection: Connection) -> list[str]:
    """Vacuum and analyze every table of ours; their names.

    Partitioned parents are analyzed only: autovacuum never does, and the planner needs it.
    """
    rows = connection.execute(
        "SELECT relnamespace::regnamespace::text, relname, relkind = 'p' FROM pg_class"
        " WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text = ANY(%s)"
        " ORDER BY 1, 2",
        (list(_SCHEMAS),),
    ).fetchall()
    for schema, name, is_parent in rows:
        command = "ANALYZE {}" if is_parent else "VACUUM (ANALYZE) {}"
        connection.execute(sql.SQL(command).format(sql.Identifier(schema, name)))
    return [f"{schema}.{name}" for schema, name, _ in rows]
