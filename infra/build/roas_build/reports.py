"""Sums up the JUnit XML reports that pytest writes, one file per test file."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers of test cases. An error in a fixture counts as a failed case."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
        )

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(
            self.passed - other.passed,
            self.failed - other.failed,
            self.skipped - other.skipped,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read(directory: Path) -> Totals:
    """Totals over every report in the folder; nothing where there is no folder.

    A report that can't be read counts as one failed case: its tests died before they could say.
    """
    return sum((_read_report(path) for path in sorted(directory.glob("*.xml"))), Totals())


def _read_report(path: Path) -> Totals:
    try:
        # Our own pytest wrote it.
        cases = ElementTree.parse(path).iter("testcase")  # noqa: S314
    except (ElementTree.ParseError, OSError):
        return Totals(failed=1)
    return count(cases)


def count(cases: Iterable[ElementTree.Element]) -> Totals:
    """Totals of some `testcase` elements."""
    passed = failed = skipped = 0
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return Totals(passed, failed, skipped)
