"""The cache manager's verbs on a real Redis, as a person and as a script use them."""

from __future__ import annotations

import json
from typing import cast

from cache_writer_stack import FIRST_WINDOW, CacheWriterStack, wait_until, window_deltas

from roas_contracts import exit_codes
from roas_contracts.read_interfaces import broken_promises, load
from roas_contracts.redis_layout import RedisMetricsReader, WindowSize


def test_show_top_stats_and_evict(stack: CacheWriterStack) -> None:
    for window in range(3):
        stack.send(window_deltas(window))
    writer = stack.writer()
    stack.wait_until_counted()
    writer.wait_until_ready()
    stack.assert_exact()
    wait_until("its lag is zero", lambda: writer.readiness().get("lag_records") == 0)
    assert writer.stop() == exit_codes.OK

    shown = json.loads(stack.cli("show", "total", "all", "--json").stdout)
    assert [one["window_start"] for one in shown["windows"]] == [
        f"2014-10-21T00:0{minute}:00Z" for minute in range(3)
    ]
    assert {one["impressions"] for one in shown["windows"]} == {150}
    assert shown["windows"][0]["ctr"] == 1 / 150
    assert stack.cli("show", "total", "all").stdout.count("2014-10-21 00:0") == 3

    top = json.loads(stack.cli("top", "campaign", "-n", "3", "--json").stdout)["top"]
    assert [one["value"] for one in top] == ["c49", "c48", "c47"]
    by_ctr = json.loads(stack.cli("top", "campaign", "--by", "ctr", "--json").stdout)["top"]
    assert by_ctr[0]["value"] == "c6"
    wide = json.loads(stack.cli("top", "campaign", "--windows", "3", "-n", "1", "--json").stdout)[
        "top"
    ]
    assert wide[0]["impressions"] == 3 * 149

    stats = json.loads(stack.cli("stats", "--json").stdout)
    assert stats["sizes"]["1m"]["window_hashes"] == 6
    assert stats["sizes"]["1m"]["newest_window_start"] == "2014-10-21T00:02:00Z"
    assert {one["lag"] for one in stats["partitions"]} == {0}
    assert "1m" in stack.cli("stats").stdout

    assert list(broken_promises(load("redis_v1").promises, offered(stack))) == []

    unclear = stack.cli("evict", "--yes")
    assert unclear.returncode == exit_codes.USAGE
    evicted = stack.cli("evict", "--dimension", "campaign", "--value", "c1", "--yes", "--json")
    assert json.loads(evicted.stdout) == {"keys_removed": 0, "values_removed": 6}
    before = stack.cli("evict", "--before", "2014-10-21T00:01", "--yes", "--json")
    assert json.loads(before.stdout)["keys_removed"] == 4
    reader = RedisMetricsReader(stack.redis)
    assert reader.index("1m")[0] == ("campaign", FIRST_WINDOW + 60_000)
    assert stack.cli("evict", "--all", "--yes").returncode == exit_codes.OK
    assert stack.redis.keys("roas:*") == []
    assert stack.cli("show", "total", "all").returncode == exit_codes.NO
    assert stack.cli("top", "campaign").returncode == exit_codes.NO


def offered(stack: CacheWriterStack) -> dict[str, str]:
    """What is really in Redis, in the words of its declaration."""
    promised = load("redis_v1").promises
    found = {name: form for name, form in promised.items() if name == "value of a window"}
    for key in cast(list[str], stack.redis.keys("roas:*")):
        form = key.replace("{1m}", "{SIZE}").replace("{5m}", "{SIZE}")
        name = "key of the " + form.rpartition(":")[2]
        if ":w:" in form:
            dimension, start = form.split(":")[-2:]
            form = form.replace(f":{dimension}:{start}", ":DIMENSION:START")
            name = "key of a window"
        found[name] = f"{cast(str, stack.redis.type(key))} {form}"
        if form.endswith(":index"):
            (member,) = cast(list[str], stack.redis.zrange(key, 0, 0))
            dimension, start = member.split(":")
            assert start.isdigit()
            found["member of the index"] = member.replace(dimension, "DIMENSION").replace(
                start, "START"
            )
        if form.endswith(":meta"):
            for field, value in cast(dict[str, str], stack.redis.hgetall(key)).items():
                found[f"meta.{field}"] = "integer" if value.isdigit() else "text"
        if ":w:" in form:
            totals = cast(list[str], stack.redis.hvals(key))[0]
            groups = [len(group.split(",")) for group in totals.split("|")]
            wanted = [len(group.split(",")) for group in found["value of a window"].split("|")]
            assert groups[:2] == wanted[:2]
            assert len(groups) == len(wanted)
    return found


def test_old_windows_leave_and_memory_is_bounded(stack: CacheWriterStack) -> None:
    for window in range(12):
        stack.send(window_deltas(window, values=3))
    writer = stack.writer(REDIS_KEPT_WINDOWS_1M="4", REDIS_KEPT_WINDOWS_5M="5")
    stack.wait_until_counted()
    writer.wait_until_ready()
    reader = RedisMetricsReader(stack.redis)
    stack.send(window_deltas(12, values=3))
    stack.wait_until_counted()
    writer.wait_until_ready()
    for size, kept in ((WindowSize.ONE_MINUTE, 4), (WindowSize.FIVE_MINUTES, 5)):
        starts = sorted({start for _, start in reader.index(size)})
        assert starts == [FIRST_WINDOW + n * size.millis for n in range(13 - kept, 13)]
        fresh = reader.freshness().sizes[size]
        assert fresh.oldest_kept_window_start == starts[0]
    # A late delta of a window that has left is counted, but does not bring the window back.
    stack.send(window_deltas(0, values=3)[:1])
    stack.wait_until_counted()
    assert min(start for _, start in reader.index("1m")) == FIRST_WINDOW + 9 * 60_000
    keys = stack.redis.keys("roas:v1:*:w:*")
    assert all(stack.redis.ttl(key) > 0 for key in keys)


def test_an_absent_dependency_is_one_sentence(stack: CacheWriterStack) -> None:
    for verb in (["show", "total", "all"], ["stats"], ["evict", "--all", "--yes"], ["warm"]):
        answer = stack.cli(*verb, REDIS_URL="redis://127.0.0.1:1/0")
        assert answer.returncode == exit_codes.UNAVAILABLE, verb
        assert "Traceback" not in answer.stderr
        assert "Redis does not answer" in answer.stderr
    wrong = stack.cli("stats", CURRENCY="dollars")
    assert wrong.returncode == exit_codes.USAGE
    assert "ROAS_CACHE_WRITER_CURRENCY" in wrong.stderr
