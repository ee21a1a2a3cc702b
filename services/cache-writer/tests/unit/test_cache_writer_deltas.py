"""Folding deltas is adding them up, whatever their order."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_cache_writer.deltas import KINDS, LARGEST_SUM, MEASURES, Fold, check
from roas_contracts.errors import MisconfigurationError, PoisonError
from roas_contracts.events import AdMetric, DeadLetterReason, DeltaKind
from roas_contracts.redis_layout import WindowSize

_SIZE = WindowSize.ONE_MINUTE
_START = 1_413_849_600_000


def _delta(**changes: object) -> AdMetric:
    fields: dict[str, object] = {
        "dimension": "campaign",
        "value": "c1",
        "window_start": _START,
        "window_end": _START + 60_000,
        "kind": DeltaKind.ON_TIME,
        "impressions": 3,
        "clicks": 1,
        "conversions": 0,
        "cost_micros": 10,
        "revenue_micros": 0,
        "currency": "USD",
        "emitted_at": 1_700_000_000_000,
        **changes,
    }
    return AdMetric(**fields)  # type: ignore[arg-type]


_numbers = st.integers(-(10**6), 10**6)
_deltas = st.builds(
    _delta,
    dimension=st.sampled_from(["total", "campaign"]),
    value=st.sampled_from(["all", "c1"]),
    window_start=st.sampled_from([_START, _START + 60_000, _START + 86_400_000]),
    kind=st.sampled_from(KINDS),
    impressions=_numbers,
    clicks=_numbers,
    conversions=_numbers,
    cost_micros=_numbers,
    revenue_micros=_numbers,
    emitted_at=st.integers(1_700_000_000_000, 1_700_000_010_000),
)


def _rows(fold: Fold) -> dict[tuple[int, str, str], dict[str, int]]:
    """What a fold adds to each row: measures by kind, number of deltas by kind, and times."""
    sums = fold.sums()
    rows: dict[tuple[int, str, str], dict[str, int]] = {}
    for at, (start, series) in enumerate(zip(sums.window_start.tolist(), sums.series, strict=True)):
        row = rows[start, *series] = {
            "first": int(sums.first_emitted_at[at]),
            "last": int(sums.last_emitted_at[at]),
        }
        for kind in KINDS:
            added = sums.measures[kind][at].tolist() if kind in sums.measures else [0] * 5
            row |= {f"{kind} {name}": n for name, n in zip(MEASURES, added, strict=True)}
            row[f"{kind} deltas"] = int(sums.deltas[kind][at]) if kind in sums.deltas else 0
    assert len(rows) == len(sums)
    return rows


@given(st.lists(_deltas, min_size=1), st.randoms(use_true_random=False))
def test_a_fold_holds_the_sums_in_any_order(deltas: list[AdMetric], chance: random.Random) -> None:
    fold, shuffled = Fold(_SIZE), Fold(_SIZE)
    for delta in deltas:
        fold.add(delta)
    chance.shuffle(deltas)
    for delta in deltas:
        shuffled.add(delta)
    assert _rows(fold) == _rows(shuffled)

    expected: Counter[tuple[tuple[int, str, str], str]] = Counter()
    emitted: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    for delta in deltas:
        key = (delta.window_start, delta.dimension, delta.value)
        for measure in MEASURES:
            expected[key, f"{delta.kind} {measure}"] += getattr(delta, measure)
        expected[key, f"{delta.kind} deltas"] += 1
        emitted[key].append(delta.emitted_at)
    names = [f"{kind} {measure}" for kind in KINDS for measure in (*MEASURES, "deltas")]
    assert _rows(fold) == {
        key: {
            **{name: expected[key, name] for name in names},
            "first": min(times),
            "last": max(times),
        }
        for key, times in emitted.items()
    }
    sums = fold.sums()
    keys = list(zip(sums.window_start.tolist(), sums.series, strict=True))
    assert keys == sorted(keys), "two writers would lock rows in different orders"
    assert sums.newest_window == max(delta.window_start for delta in deltas)
    assert sums.newest_emitted_at == max(delta.emitted_at for delta in deltas)
    assert sums.days() == sorted({delta.window_start // 86_400_000 for delta in deltas})
    closed = [
        delta.window_start
        for delta in deltas
        if delta.kind is DeltaKind.ON_TIME and delta.dimension == "total"
    ]
    assert sums.newest_complete == max(closed, default=None)


def test_a_sum_that_64_bits_hold_is_exact() -> None:
    fold = Fold(_SIZE)
    for _ in range(92):
        fold.add(_delta(cost_micros=LARGEST_SUM))
    assert fold.sums().measures[DeltaKind.ON_TIME][0].tolist()[3] == 92 * LARGEST_SUM


def test_a_sum_beyond_64_bits_is_refused_and_does_not_turn_over() -> None:
    fold = Fold(_SIZE)
    for _ in range(93):
        fold.add(_delta(cost_micros=LARGEST_SUM))
    with pytest.raises(MisconfigurationError, match="64 bits"):
        fold.sums()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"window_start": _START + 1, "window_end": _START + 60_001}, "window_start"),
        ({"window_end": _START + 300_000}, "window_end"),
        ({"clicks": LARGEST_SUM + 1}, "clicks"),
        ({"kind": DeltaKind.CORRECTION, "cost_micros": -LARGEST_SUM - 1}, "cost_micros"),
    ],
)
def test_what_the_tables_can_not_hold_is_poison(changes: dict[str, object], field: str) -> None:
    with pytest.raises(PoisonError) as caught:
        check(_SIZE, _delta(**changes))
    assert caught.value.reason is DeadLetterReason.INVALID_FIELD
    assert caught.value.detail.startswith(f"{field}:")


@pytest.mark.parametrize("number", [LARGEST_SUM, -LARGEST_SUM, 0])
def test_what_they_can_hold_is_not(number: int) -> None:
    check(_SIZE, _delta(revenue_micros=number))


def test_a_five_minute_window_is_not_a_one_minute_window() -> None:
    delta = _delta(window_end=_START + 300_000)
    check(WindowSize.FIVE_MINUTES, delta)
    with pytest.raises(PoisonError):
        check(WindowSize.ONE_MINUTE, delta)
