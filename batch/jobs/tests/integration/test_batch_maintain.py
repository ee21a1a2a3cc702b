"""The chores: old days go if their archive is whole, and the registry comes back with its ids."""

from __future__ import annotations

from pathlib import Path

import psycopg
from batch_events import TUESDAY, WEDNESDAY, click
from batch_stack import BatchStack

from roas_contracts import exit_codes
from roas_contracts.events import AD_CLICKS
from roas_contracts.registry import Registry
from roas_contracts.subjects import load_subjects
from roas_local.components import SchemaRegistry


def partitions(stack: BatchStack) -> list[str]:
    return [
        name
        for (name,) in stack.query(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent IN"
            " ('raw.ad_clicks'::regclass, 'realtime.metrics_1m'::regclass) ORDER BY 1"
        )
    ]


def test_retention_drops_old_days_but_none_whose_archive_is_damaged(stack: BatchStack) -> None:
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(1), click(2)]))
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(3, WEDNESDAY)]), 1)
    for day in stack.archive_all():
        stack.answer("rebuild", f"--day={day}")
    with psycopg.connect(stack.dsn) as connection:
        for table_day in (TUESDAY, WEDNESDAY):
            connection.execute(
                "SELECT realtime.ensure_day_partition('metrics_1m', %s)", (table_day,)
            )
    everything = partitions(stack)
    assert len(everything) == 4
    assert stack.answer("maintain", "retention")["days_kept"] is None
    kept = stack.answer("maintain", "retention", "--days=2")
    assert (kept["expired"], kept["newest_day"]) == ([], str(WEDNESDAY))
    dry = stack.answer("maintain", "retention", "--days=1", "--dry-run")
    assert (dry["expired"], dry["dropped"]) == ([everything[0], everything[2]], {})
    assert partitions(stack) == everything

    path = sorted(Path(stack.archive).glob("ad-clicks/*/0/*.parquet"))[0]
    good = path.read_bytes()
    path.write_bytes(good[:-20] + bytes(20))
    refused = stack.answer("maintain", "retention", "--days=1", code=exit_codes.NO)
    assert refused["dropped"] == {}
    assert [each["day"] for each in refused["kept"]] == [str(TUESDAY)]
    assert str(path) in refused["kept"][0]["why"]
    assert partitions(stack) == everything

    path.write_bytes(good)
    done = stack.answer("maintain", "retention", RETENTION_DAYS="1")
    assert done["dropped"] == {everything[0]: 2, everything[2]: 0}
    assert partitions(stack) == [everything[1], everything[3]]
    assert stack.answer("maintain", "retention", "--days=1")["dropped"] == {}
    # The plan does not ask for the day again, and reconcile says why it can't compare it.
    assert stack.answer("plan")["days"] == []
    gone = stack.batch("reconcile", f"--day={TUESDAY}", "--wait=0")
    assert (gone.code, "retention has dropped" in gone.error) == (exit_codes.UNAVAILABLE, True)
    assert len(stack.answer("maintain", "vacuum")["tables"]) > 10
    assert stack.answer("maintain", "dead-letter-report") == {"unresolved": 0, "by_reason": []}


def test_a_registry_comes_back_from_its_backup_with_the_same_ids(
    stack: BatchStack, tmp_path: Path
) -> None:
    backup = stack.answer("maintain", "registry-backup")
    again = stack.answer("maintain", "registry-backup")
    assert again == backup
    assert Path(backup["file"]).is_relative_to(stack.archive)
    before = {topic: stack.registry.schema_id(topic) for topic in load_subjects()}
    with SchemaRegistry(tmp_path / "registry") as empty:
        for _ in range(2):  # A restore that was killed goes on where it was.
            restored = stack.answer(
                "maintain", "registry-restore", backup["file"], REGISTRY_URL=empty.url
            )
            assert restored["versions"] == backup["versions"]
        registry = Registry(empty.url)
        assert {topic: registry.schema_id(topic) for topic in load_subjects()} == before
        registry.close()
        backup_of_it = stack.answer(
            "maintain", "registry-backup", f"--file={tmp_path}/b.json", REGISTRY_URL=empty.url
        )
        assert backup_of_it["sha256"] == backup["sha256"]
