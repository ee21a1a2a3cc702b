"""dlq-handler: keeps dead letters in PostgreSQL, and puts failed events back (`./roas dlq`).

The service: `keeper` (the loop), `intake` (what records amount to), `store` (PostgreSQL).
The tool: `selection` (which dead letters), `library` (reading them), `operation` (a change, from
lock to audit), `outbox` (its Kafka transactions), `repair` and `rules_file` (fix), `inspection`
(show). `app` wires them, `cli` has the verbs.
"""

from typing import Final

from roas_contracts.consuming.positions import Reader

SERVICE: Final = "dlq-handler"
"""The service's name in logs, dead letters and as its consumer group."""

__version__: Final = "0.1.0"

READER: Final = Reader(SERVICE, "ROAS_DLQ_HANDLER_")
