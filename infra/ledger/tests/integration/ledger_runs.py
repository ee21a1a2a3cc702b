"""Running the ledger in a test, and reading what it says."""

from __future__ import annotations

from planted_pipeline import PlantedPipeline

from roas_ledger.app import verify
from roas_ledger.report import Report


def run(planted: PlantedPipeline, wait: float = 0.0, allow_retention: bool = False) -> Report:
    settings = planted.servers.ledger_settings()
    return verify(settings, wait, allow_retention, lambda total: None, lambda count: None)


def sentences(report: Report) -> str:
    return "\n".join(difference.sentence() for difference in report.differences)


def assert_named(report: Report, *parts: str) -> None:
    """Some difference says all of this, and the verdict is red."""
    assert not report.exact
    assert report.exit_code == 1
    told = sentences(report)
    assert any(all(part in line for part in parts) for line in told.splitlines()), told
