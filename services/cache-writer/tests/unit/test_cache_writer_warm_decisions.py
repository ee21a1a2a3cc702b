"""What Redis must forget, decided from what it held and what PostgreSQL has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from roas_cache_writer.stored_rows import StoredRow
from roas_cache_writer.warm import lost

_WINDOW = ("campaign", 60_000)


def _row(value: str, revision: int) -> StoredRow:
    return StoredRow._make((_WINDOW[1], _WINDOW[0], value, 1, *[0] * 14, revision, 0, 0))


_revisions = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 5))


@given(_revisions, _revisions)
def test_only_what_postgres_has_lost_goes(held: dict[str, int], stored: dict[str, int]) -> None:
    rows = [_row(value, revision) for value, revision in stored.items()]
    gone = lost({_WINDOW: held}, rows).get(_WINDOW, [])
    for value, revision in held.items():
        assert (value in gone) == (value not in stored or stored[value] < revision)
    assert set(gone) <= set(held)


def test_a_window_that_expired_leaves_the_index() -> None:
    assert lost({_WINDOW: {}}, []) == {_WINDOW: []}


def test_what_is_no_row_of_ours_goes() -> None:
    assert lost({_WINDOW: {"a": -1}}, [_row("a", 4)]) == {_WINDOW: ["a"]}
