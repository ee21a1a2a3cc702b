"""Generated rows as rows: exact rules, identity, determinism, bounded memory."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from itertools import islice

import pytest

from roas_contracts.errors import InputError
from roas_producer.generator import GeneratorOptions, rows
from roas_producer.generator.draw import CHUNK_ROWS
from roas_producer.rows import HOUR_MS, NO_APP, NO_DEVICE, NO_SITE, AdRow

_OPTIONS = GeneratorOptions(rows=60_000, hours=5, seed=7)


@pytest.fixture(scope="module")
def sample() -> list[AdRow]:
    return [row for block in rows(_OPTIONS) for row in block.rows]


def test_hours_follow_each_other_and_rows_add_up(sample: list[AdRow]) -> None:
    blocks = list(rows(_OPTIONS))
    first = round(datetime(2014, 10, 21, tzinfo=UTC).timestamp() * 1000)
    assert [block.start_ms for block in blocks] == [first + i * HOUR_MS for i in range(5)]
    assert sum(len(block.rows) for block in blocks) == len(sample) == 60_000
    for block in blocks:
        assert {row.hour_start_ms for row in block.rows} == {block.start_ms}
        assert not list(block.bad)


@pytest.mark.parametrize(
    ("determining", "determined"),
    [
        ("C14", ("C15", "C16", "C17", "C18", "C19", "C21")),
        ("C17", ("C21",)),
        ("site_id", ("site_domain", "site_category")),
        ("app_id", ("app_domain", "app_category")),
    ],
)
def test_one_column_determines_another(
    sample: list[AdRow], determining: str, determined: tuple[str, ...]
) -> None:
    seen: dict[str, tuple[object, ...]] = {}
    for row in sample:
        values = tuple(getattr(row, name) for name in determined)
        assert seen.setdefault(getattr(row, determining), values) == values
    assert len(set(seen.values())) > 3  # not all the same


def test_site_or_app_but_never_both(sample: list[AdRow]) -> None:
    in_app = [row for row in sample if row.site_id == NO_SITE]
    on_site = [row for row in sample if row.app_id == NO_APP]
    assert len(in_app) + len(on_site) == len(sample)
    assert not {row.id for row in in_app} & {row.id for row in on_site}
    assert len(in_app) / len(sample) == pytest.approx(14_596_137 / 40_428_967, abs=0.03)
    assert len({(row.site_domain, row.site_category) for row in in_app}) == 1
    assert len({(row.app_domain, row.app_category) for row in on_site}) == 1


def test_values_are_in_the_form_of_the_data_set(sample: list[AdRow]) -> None:
    row = sample[0]
    assert {len(row) for row in sample} == {24}
    for name in ("site_id", "app_domain", "device_id", "device_ip", "device_model"):
        assert all(len(getattr(r, name)) == 8 for r in sample)
        assert all(int(getattr(r, name), 16) >= 0 for r in sample)
    for name in ("banner_pos", "device_type", "device_conn_type", "C15", "C16"):
        assert isinstance(getattr(row, name), int)
    for name in ("C1", "C14", "C17", "C18", "C19", "C20", "C21"):
        assert str(int(getattr(row, name))) == getattr(row, name)
    assert {row.click for row in sample} == {True, False}


def test_a_known_device_has_one_model() -> None:
    models: dict[str, str] = {}
    seen = 0
    for block in rows(GeneratorOptions(rows=400_000, hours=1, seed=3)):
        for row in block.rows:
            if row.device_id != NO_DEVICE:
                seen += 1
                assert models.setdefault(row.device_id, row.device_model) == row.device_model
    assert len(models) < seen  # some devices came back


def test_ids_are_unsigned_64_bit_decimals_and_unique_over_hours_and_runs(
    sample: list[AdRow],
) -> None:
    later = GeneratorOptions(rows=60_000, hours=5, seed=7, start=datetime(2015, 1, 1, tzinfo=UTC))
    ids = [row.id for row in sample] + [row.id for b in rows(later) for row in b.rows]
    assert len(set(ids)) == 120_000
    assert all(0 <= int(identity) < 2**64 and str(int(identity)) == identity for identity in ids)
    assert max(map(int, ids)) > 2**63  # the full range, as in the data set


def test_equal_options_give_equal_rows(sample: list[AdRow]) -> None:
    assert [row for block in rows(_OPTIONS) for row in block.rows] == sample


def test_another_seed_gives_other_rows(sample: list[AdRow]) -> None:
    other = GeneratorOptions(rows=60_000, hours=5, seed=8)
    again = [row for block in rows(other) for row in block.rows]
    assert len(again) == len(sample)
    assert not {row.id for row in again} & {row.id for row in sample}
    assert [row.C14 for row in again] != [row.C14 for row in sample]


def test_an_hour_does_not_depend_on_the_hours_before_it(sample: list[AdRow]) -> None:
    fourth = list(rows(_OPTIONS))[3]  # the three before it were not iterated over
    assert list(fourth.rows) == [row for row in sample if row.hour_start_ms == fourth.start_ms]


def test_an_hour_does_not_depend_on_where_a_run_starts() -> None:
    early = GeneratorOptions(scale=0.01, hours=5, seed=7)
    late = GeneratorOptions(
        scale=0.01, hours=2, seed=7, start=datetime(2014, 10, 21, 3, tzinfo=UTC)
    )
    for block, again in zip(list(rows(early))[3:], rows(late), strict=True):
        assert block.start_ms == again.start_ms
        assert list(block.rows) == list(again.rows)


def test_an_hour_can_be_iterated_over_again() -> None:
    block = next(rows(GeneratorOptions(rows=2 * CHUNK_ROWS + 17, hours=1)))
    first, second = list(block.rows), list(block.rows)
    assert first == second
    assert len(first) == len(block.rows) == 2 * CHUNK_ROWS + 17


def test_a_huge_hour_is_never_in_memory() -> None:
    options = GeneratorOptions(rows=500_000_000, hours=1)
    block = next(rows(options))
    tracemalloc.start()
    try:
        for _ in islice(block.rows, 3 * CHUNK_ROWS):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(block.rows) == 500_000_000
    assert peak < 64 * 1024 * 1024


def test_scale_is_a_share_of_the_published_volume() -> None:
    total = sum(len(block.rows) for block in rows(GeneratorOptions(scale=1.0)))
    assert total == pytest.approx(40_428_967, abs=120)  # every hour is rounded by itself


def test_the_ten_days_start_over() -> None:
    blocks = list(rows(GeneratorOptions(scale=0.01, hours=20 * 24)))
    assert [len(b.rows) for b in blocks[:240]] == pytest.approx(
        [len(b.rows) for b in blocks[240:]], abs=1
    )


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"rows": 0}, "rows"),
        ({"hours": 0}, "hours"),
        ({"scale": 0.0}, "scale"),
        ({"rows": 10, "scale": 2.0}, "rows"),
        ({"seed": -1}, "seed"),
        ({"start": datetime(2014, 10, 21, 0, 30, tzinfo=UTC)}, "start"),
        ({"start": datetime(2009, 1, 1, tzinfo=UTC)}, "start"),
    ],
)
def test_options_that_make_no_sense_are_named(options: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        GeneratorOptions(**options)  # type: ignore[arg-type]
