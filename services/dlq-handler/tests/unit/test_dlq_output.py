"""Listings fit the terminal that they are read in, and a pipe gets whole lines."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from roas_dlq_handler import output

HEADS = ("id", "state")
ROWS = [("4379b1c0a2f4", "open"), ("0011223344aa", "quarantined ×3")]
NOTES = ["ad-clicks[1]@77, ctr-stream: [bold]하나[/bold] " + "x" * 300, "first\nsecond\x1b[31m"]


def listing(capsys: pytest.CaptureFixture[str]) -> list[str]:
    output.print_listing(HEADS, ROWS, "where: why", NOTES)
    return capsys.readouterr().out.splitlines()


def test_a_pipe_gets_a_whole_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    head, first, second = listing(capsys)
    assert head == "id            state           where: why"
    assert first == f"4379b1c0a2f4  open            {NOTES[0]}"
    assert second == "0011223344aa  quarantined ×3  first second [31m"


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_gets_two_lines_for_each_cut_where_it_ends(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_width", lambda: width)
    lines = listing(capsys)
    assert len(lines) == 6
    assert all(cell_len(line) <= width for line in lines)
    assert lines[2:4] == ["4379b1c0a2f4  open", lines[3]]
    assert lines[3].startswith("  ad-clicks[1]@77, ctr-stream: [bold]하나[/bold] xxx")
    assert lines[3].endswith("x…")
