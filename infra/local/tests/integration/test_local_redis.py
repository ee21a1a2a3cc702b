"""The real Redis (Valkey): start, use, kill -9, start again."""

from pathlib import Path

import redis

from roas_local.components import RedisServer


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            client.config_set("appendfsync", "always")
            client.set("key", "value")
        server.kill()
        server.start()
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            assert client.get("key") == "value"


def test_memory_is_bounded_and_what_has_no_ttl_stays(tmp_path: Path) -> None:
    with (
        RedisServer(tmp_path, max_memory="8mb") as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
    ):
        client.set("pointer", "stays")
        for number in range(2_000):
            client.set(f"window:{number}", "x" * 10_000, ex=3_600)
        assert client.get("pointer") == "stays"
        assert int(client.info("memory")["used_memory"]) < 12 * 1024 * 1024
        assert int(client.info("stats")["evicted_keys"]) > 0
