"""Servers that die in the middle of a change, or under the service: waited for, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from dlq_stack import WAIT_SECONDS, DlqStack, Servers, letter, wait_until

from roas_contracts import exit_codes
from roas_contracts.events import DEAD_LETTER_ACTIONS
from roas_local.components import KafkaBroker, PostgresServer, SchemaRegistry
from roas_local.layout import current

pytestmark = pytest.mark.timeout(900)

LETTERS = 400


@pytest.fixture()
def own(tmp_path: Path) -> Iterator[DlqStack]:
    """Servers that nobody else minds losing."""
    with (
        KafkaBroker(tmp_path / "kafka") as kafka,
        SchemaRegistry(tmp_path / "registry") as registry,
        PostgresServer(tmp_path / "postgres") as postgres,
    ):
        migrations = current().repository / "infra" / "postgres" / "migrations"
        stack = DlqStack(Servers(kafka, registry, postgres), tmp_path, migrations, "outages")
        try:
            yield stack
        finally:
            stack.close()


def test_kafka_or_postgres_killed_in_the_middle_of_a_replay(own: DlqStack) -> None:
    own.send([letter(number) for number in range(LETTERS)])
    service = own.service()
    own.wait_until_stored(LETTERS)

    def begun(*verb: str) -> tuple[int, str]:
        """Begin, kill the server once something is sent; exit code and last line."""
        before = own.ends()[DEAD_LETTER_ACTIONS, 0]
        process = own.start(*verb)
        wait_until("it has sent", lambda: own.ends()[DEAD_LETTER_ACTIONS, 0] > before)
        server.kill()
        _, err = process.communicate(timeout=WAIT_SECONDS)
        assert "Traceback" not in err
        return process.returncode, err.splitlines()[-1]

    server: KafkaBroker | PostgresServer = own.servers.kafka
    code, sentence = begun("replay", "--yes", "--rate", "40")
    assert code == exit_codes.UNAVAILABLE, sentence
    assert "Kafka does not answer" in sentence
    ((operation_id,),) = own.query("SELECT operation_id FROM errors.operations")
    assert f"resume {operation_id}`" in sentence
    wait_until("the service says so", lambda: not service.readiness()["ready"])
    server.start()
    wait_until("the service is back", lambda: service.readiness().get("ready"))

    server = own.servers.postgres
    code, sentence = begun("resume", str(operation_id))
    assert code == exit_codes.UNAVAILABLE, sentence
    assert "PostgreSQL does not answer" in sentence
    wait_until("the service says so", lambda: not service.readiness()["ready"])
    server.start()
    wait_until("the service is back", lambda: service.readiness().get("ready"))

    assert own.answer("resume", str(operation_id))["status"] == "finished"
    assert own.replays() == Counter({letter(n).dead_letter_id: 1 for n in range(LETTERS)})
    own.wait_until_states(replayed=LETTERS)
    assert service.stop() == exit_codes.OK
