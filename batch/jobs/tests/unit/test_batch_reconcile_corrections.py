"""The id of a correction: the same for the same difference, another one once that was corrected."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from roas_batch.reconcile.causes import Cell, Evidence, Figures, explain
from roas_batch.reconcile.corrections import Correction, correction_of

DAY = date(2014, 10, 21)
EVIDENCE = Evidence(
    cell=Cell("1m", 1_413_849_600_000, "total", "all"),
    batch=Figures(10),
    realtime=Figures(7),
    topic=Figures(7),
    on_time_deltas=1,
)


def correction(evidence: Evidence = EVIDENCE, day: date = DAY) -> Correction:
    (finding,) = explain(evidence)
    return correction_of(day, evidence, finding)


def test_the_same_difference_has_the_same_id() -> None:
    assert correction() == correction()
    assert correction().delta == Figures(3)


def test_another_place_or_figure_has_another_id() -> None:
    others = [
        correction(replace(EVIDENCE, cell=replace(EVIDENCE.cell, size="5m"))),
        correction(replace(EVIDENCE, batch=Figures(11))),
        correction(replace(EVIDENCE, topic=None, realtime=Figures(6))),
        correction(replace(EVIDENCE, topic=Figures(10))),
        correction(day=date(2014, 10, 22)),
    ]
    assert len({each.correction_id for each in [*others, correction()]}) == 6


def test_the_same_difference_after_a_correction_that_counts_has_another_id() -> None:
    again = correction(replace(EVIDENCE, corrected=Figures(3)))
    assert again.correction_id != correction().correction_id
