"""A report for a person, for a script, and as annotations of a pull request."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from roas_contracts.gate.findings import Finding, Report, as_json, relative

_WIDTH: Final = 100


def text(report: Report, root: Path) -> str:
    """For a person: each finding with its place first, then why, who and what instead."""
    parts = [_finding(finding, root) for finding in report.findings]
    return "\n\n".join([*parts, _summary(report)])


def as_json_text(report: Report, root: Path) -> str:
    """For a script."""
    return json.dumps(
        {
            "ok": not report.findings,
            "subjects": report.subjects,
            "versions": report.versions,
            "findings": [as_json(finding, root) for finding in report.findings],
            "rollouts": [
                {"topic": each.topic, "version": each.version, "first": each.first}
                for each in report.rollouts
            ],
            "notes": list(report.notes),
        },
        indent=2,
        ensure_ascii=False,
    )


def github(report: Report, root: Path) -> str:
    """Workflow commands that GitHub shows beside the line."""
    return "\n".join(
        f"::error file={_property(relative(each.file, root))},line={each.line},"
        f"title={_property(_title(each))}::{_data(chr(10).join(_sentences(each)))}"
        for each in report.findings
    )


def _finding(finding: Finding, root: Path) -> str:
    place = f"{relative(finding.file, root)}:{finding.line}: {_title(finding)}"
    lines = [place]
    for sentence in _sentences(finding):
        label, _, rest = sentence.partition(": ")
        lines.append(
            textwrap.fill(
                rest,
                _WIDTH,
                initial_indent=f"    {label + ':':<10}",
                subsequent_indent=" " * 14,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return "\n".join(lines)


def _title(finding: Finding) -> str:
    version = f" v{finding.version}" if finding.version else ""
    at = f", {finding.at}" if finding.at else ""
    return f"{finding.topic}{version}{at} [{finding.kind}]"


def _sentences(finding: Finding) -> Iterator[str]:
    yield f"what: {finding.what}"
    if finding.why:
        yield f"why: {finding.why}"
    if finding.affected:
        yield f"who: {finding.affected}"
    if finding.instead:
        yield f"instead: {finding.instead}"


def _summary(report: Report) -> str:
    refused = {(each.topic, each.version) for each in report.findings}
    lines = [
        f"to roll out {each.sentence}"
        for each in report.rollouts
        if (each.topic, each.version) not in refused
    ]
    lines += report.notes
    checked = f"{report.subjects} subjects, {report.versions} versions"
    count = len(report.findings)
    verdict = "all well" if not count else f"{count} finding{'s' if count > 1 else ''}"
    return "\n".join([*lines, f"{checked}: {verdict}"])


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
