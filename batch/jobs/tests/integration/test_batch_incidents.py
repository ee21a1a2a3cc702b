"""`./roas batch incident` on the real PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from roas_batch.incident_cli import app
from roas_contracts.errors import InputError
from roas_local.components import PostgresServer
from roas_local.layout import current
from roas_local.migrate import migrate


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        migrate(server.dsn, current().repository / "infra" / "postgres" / "migrations")
        yield server


class Tool:
    """The command line, in this process."""

    def __init__(self, dsn: str, archive: Path) -> None:
        self._settings = {"ROAS_BATCH_POSTGRES_DSN": dsn, "ROAS_BATCH_ARCHIVE": str(archive)}

    def run(self, *arguments: str, stdin: str = "") -> Any:
        return CliRunner().invoke(app, [*arguments, "--json"], input=stdin, env=self._settings)

    def incidents(self, *arguments: str, stdin: str = "") -> list[dict[str, Any]]:
        done = self.run(*arguments, stdin=stdin)
        assert done.exit_code == 0, done.output
        found: list[dict[str, Any]] = json.loads(done.stdout)["incidents"]
        return found


@pytest.fixture()
def tool(postgres: PostgresServer, tmp_path: Path) -> Tool:
    return Tool(postgres.dsn, tmp_path)


def test_an_incident_is_raised_counted_up_and_resolved(tool: Tool) -> None:
    what = ("raise", "--source", "build_marts.build", "--kind", "failed_node")
    raised = (*what, "--subject", "not_null_ctr")
    (first,) = tool.incidents(*raised, "--detail", '{"run_id": "r1", "failing_rows": 3}')
    # The same run tells it again because its task was tried again: still once.
    (again,) = tool.incidents(*raised, "--detail", "-", stdin='{"run_id": "r1"}')
    (next_run,) = tool.incidents(*raised, "--detail", '{"run_id": "r2", "failing_rows": 4}')
    assert [seen["times"] for seen in (first, again, next_run)] == [1, 1, 2]
    assert {seen["id"] for seen in (first, again, next_run)} == {first["id"]}
    assert next_run["detail"] == {"run_id": "r2", "failing_rows": 4}
    (other,) = tool.incidents(*what, "--subject", "another")
    assert [seen["id"] for seen in tool.incidents("ls", "--source", "build_marts")] == [
        other["id"],
        first["id"],
    ]

    (resolved,) = tool.incidents("resolve", str(first["id"]), "--why", "rows were mended")
    assert resolved["resolution"] == "rows were mended"
    assert [seen["id"] for seen in tool.incidents("ls", "--source", "build_marts")] == [other["id"]]
    # The same failure after that is a new incident.
    (fresh,) = tool.incidents(*raised)
    assert (fresh["times"], fresh["id"] != first["id"]) == (1, True)


def test_all_of_a_dag_are_resolved_at_once_and_no_others(tool: Tool) -> None:
    for source in ("ingest_events.archive", "ingest_events.rebuild", "ingest_events_2.archive"):
        tool.incidents("raise", "--source", source, "--kind", "unavailable")
    tool.incidents("raise", "--source", "ingest_events.plan", "--kind", "lost_records")
    kinds = ("--kind", "unavailable", "--kind", "killed")
    closed = tool.incidents("resolve", "--source", "ingest_events", *kinds, "--why", "it went on")
    assert {seen["source"] for seen in closed} == {"ingest_events.archive", "ingest_events.rebuild"}
    assert [seen["source"] for seen in tool.incidents("ls", "--source", "ingest_events_2")]
    (lost,) = tool.incidents("resolve", "--source", "ingest_events", "--why", "accepted")
    assert lost["kind"] == "lost_records"
    assert tool.incidents("resolve", "--source", "ingest_events", "--why", "again") == []


def test_nothing_found_is_exit_code_1(tool: Tool) -> None:
    assert tool.run("ls", "--source", "nowhere").exit_code == 1
    unknown = tool.run("resolve", "999999", "--why", "a mistake")
    assert unknown.exit_code == 1
    assert "999999" in unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("raise", "--source", "a", "--kind", "b", "--detail", "{"), "not JSON"),
        (("raise", "--source", "a", "--kind", "b", "--detail", "[]"), "not a JSON object"),
        (("raise", "--source", " ", "--kind", "b"), "must not be empty"),
        (("resolve", "--why", "nothing named"), "name incidents"),
        (("resolve", "7", "--source", "a", "--why", "both named"), "name incidents"),
    ],
)
def test_wrong_usage_is_one_sentence(tool: Tool, arguments: tuple[str, ...], why: str) -> None:
    done = tool.run(*arguments)
    assert isinstance(done.exception, InputError)
    assert why in str(done.exception)
