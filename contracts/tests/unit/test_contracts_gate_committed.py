"""The gate on the committed contracts. A build's sandbox has no git: fingerprints hold there."""

from pathlib import Path

from roas_contracts.gate import rendering
from roas_contracts.gate.checking import check
from roas_contracts.subjects import contracts_directory
from roas_corpus.earlier_contracts import earlier_contracts


def test_the_committed_contracts_pass_the_gate() -> None:
    report = check(contracts_directory())
    assert not report.findings, "\n" + rendering.text(report, Path.cwd())
    assert report.subjects >= 7


def test_the_contracts_of_an_earlier_release_pass_it_too(tmp_path: Path) -> None:
    report = check(earlier_contracts(1, tmp_path / "avro"))
    assert not report.findings, "\n" + rendering.text(report, tmp_path)
