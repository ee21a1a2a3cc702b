"""A small day from Kafka to tested marts by the real scheduler, with a task killed on the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scheduled_batch import BatchStack, batch_stack

DAY = "2014-10-21"
ROWS = 1_500

# Nothing by the clock; retries at once.
SETTINGS = {
    "ROAS_DAGS_INGEST_SCHEDULE": "",
    "ROAS_DAGS_MAINTAIN_SCHEDULE": "",
    "ROAS_DAGS_RETRY_DELAY_SECONDS": "0.1",
    "ROAS_BATCH_WORKERS": "1",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BatchStack]:
    with batch_stack(tmp_path_factory.mktemp("batch"), SETTINGS) as running:
        yield running


def test_a_day_gets_to_its_marts_although_a_task_is_killed(stack: BatchStack) -> None:
    hour = ("--rows", str(ROWS), "--hours", "1", "--speed", "max")
    sent = stack.run_tool("roas_producer", "generate", *hour)
    assert sent["impressions"] == ROWS
    with stack.client() as client:
        first = client.trigger("ingest_events", [])
        stack.task_of("roas_batch", "rebuild", DAY).kill()
        runs = {run.dag_id: run for run in stack.follow(client, first)}
        for dag_id in ("ingest_events", "build_marts"):
            assert runs[dag_id].state == "success", client.failed_tasks(runs[dag_id])
    assert stack.tries(first, "rebuild")[0] == ("success", 2)
    totals = (sent["impressions"], sent["clicks"], sent["conversions"])
    assert stack.query(
        "SELECT sum(impressions)::bigint, sum(clicks)::bigint, sum(conversions)::bigint"
        " FROM batch.days"
    ) == [totals]
    # The marts, by their own read interface: all that was sent, on the days where it happened.
    assert stack.query(
        "SELECT sum(impressions)::bigint, sum(clicks)::bigint, sum(conversions)::bigint"
        " FROM marts_v1.campaign_daily"
    ) == [totals]
