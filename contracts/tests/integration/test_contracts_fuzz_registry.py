"""The compatibility rule beside the local registry's own answer, where that has one."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from roas_contracts.compatibility import (
    AvroSchema,
    IncompatibilityType,
    InvalidSchemaError,
    check_mode,
    parse_schema,
)
from roas_fuzz.pairs import pairs
from roas_local.components import SchemaRegistry

PAIRS = 400
_CANT_JUDGE = 42201
"""What the local registry answers where Avro throws; Confluent's calls it incompatible."""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        SchemaRegistry(tmp_path_factory.mktemp("registry")) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        yield client


def parsed(text: str) -> AvroSchema | None:
    try:
        return parse_schema(text)
    except InvalidSchemaError:
        return None


def registered(registry: httpx.Client, subject: str, text: str) -> bool:
    registry.put(f"/config/{subject}", json={"compatibility": "NONE"})
    answer = registry.post(f"/subjects/{subject}/versions", json={"schema": text})
    return answer.status_code == httpx.codes.OK


def judged(registry: httpx.Client, subject: str, text: str) -> dict[str, Any]:
    registry.put(f"/config/{subject}", json={"compatibility": "BACKWARD"})
    path = f"/compatibility/subjects/{subject}/versions/latest"
    answer: dict[str, Any] = registry.post(path, json={"schema": text}).json()
    return answer


def test_the_registry_agrees_wherever_it_judges(registry: httpx.Client) -> None:
    seen: Counter[str] = Counter()
    for pair in pairs(seed=4, count=PAIRS):
        new, old = parsed(pair.one), parsed(pair.other)
        subject = f"pair-{pair.number}"
        # Its parser is Avro's of another version: what only one of the two takes is no question.
        if new is None or old is None or not registered(registry, subject, pair.other):
            continue
        found = check_mode("BACKWARD", new, [old])
        answer = judged(registry, subject, pair.one)
        if answer.get("error_code") == _CANT_JUDGE:
            types = [each.incompatibility.type for each in found]
            assert types == [IncompatibilityType.AMBIGUOUS_FIELD], pair
            seen["ambiguous"] += 1
        elif "is_compatible" in answer:
            assert answer["is_compatible"] == (not found), (pair, found)
            seen["incompatible" if found else "compatible"] += 1
        else:
            seen["no answer"] += 1
    print(dict(seen))
    assert seen["compatible"] > PAIRS / 5
    assert seen["incompatible"] > PAIRS / 10
    assert seen["ambiguous"] > 0
    assert seen["no answer"] < PAIRS / 20
