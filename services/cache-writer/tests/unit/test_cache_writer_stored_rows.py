"""What is written to Redis of a row is what the layout's own encoder would write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from roas_cache_writer.arrays import text_array
from roas_cache_writer.stored_rows import StoredRow
from roas_contracts.redis_layout import Measures, WindowSize, WindowTotals, encode_totals

_sums = st.lists(st.integers(-(10**17), 10**17), min_size=5, max_size=5)
_rare = st.one_of(st.just([0] * 5), _sums)


@given(_sums, _rare, _rare, st.integers(1, 10**9), st.integers(0, 2 * 10**12))
def test_a_row_is_written_as_the_layout_says(
    totals: list[int], late: list[int], correction: list[int], revision: int, emitted_at: int
) -> None:
    times = (emitted_at, emitted_at + 1)
    row = StoredRow._make((60_000, "campaign", "c1", *totals, *late, *correction, revision, *times))
    expected = WindowTotals(
        size=WindowSize.ONE_MINUTE,
        dimension="campaign",
        value="c1",
        window_start=60_000,
        totals=Measures(*totals),
        late=Measures(*late),
        correction=Measures(*correction),
        revision=revision,
        first_emitted_at=times[0],
        last_emitted_at=times[1],
        written_at=9,
    )
    assert row.redis_text(WindowSize.ONE_MINUTE, 9) == encode_totals(expected)


def test_texts_of_an_array_are_quoted() -> None:
    assert text_array(["a", 'b"\\', "", "{,}"]) == '{"a","b\\"\\\\","","{,}"}'
