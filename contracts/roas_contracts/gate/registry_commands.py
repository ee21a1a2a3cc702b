"""`contracts register` and `contracts verify-registry`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from roas_contracts import exit_codes
from roas_contracts.gate import rendering
from roas_contracts.gate.checking import check
from roas_contracts.gate.findings import Report
from roas_contracts.gate.registry_comparison import contradictions, differences
from roas_contracts.gate.topic_choice import TopicNames, chosen
from roas_contracts.registry import Registry
from roas_contracts.subjects import Subject, contracts_directory
from roas_contracts.tables import print_rows

RegistryUrl = Annotated[
    str,
    typer.Option(
        envvar="ROAS_CONTRACTS_REGISTRY_URL", help="Base URL of the registry's Confluent API."
    ),
]
Patience = Annotated[
    float, typer.Option(min=0, help="Seconds to go on trying while the registry is away.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
DEFAULT_URL = "http://127.0.0.1:28081/apis/ccompat/v7"


def register_command(
    topics: TopicNames = None,
    registry_url: RegistryUrl = DEFAULT_URL,
    patience: Patience = 15.0,
    as_json: AsJson = False,
) -> None:
    """Register every version of the schemas, and set each subject's compatibility mode.

    Safe to repeat: what is registered keeps its id. Refuses (exit code 1) what `check` refuses, and
    a registry that holds another schema under one of our version numbers.
    """
    subjects = chosen(topics)
    _refuse_what_the_gate_refuses(subjects)
    registry = Registry(registry_url, patience_seconds=patience)
    wrong = [
        each
        for subject in subjects
        for each in contradictions(subject, registry.held(subject.subject))
    ]
    if wrong:
        typer.echo("\n".join([*wrong, "nothing was registered"]), err=True)
        raise typer.Exit(exit_codes.NO)
    print_rows(
        [
            {"topic": d.topic, "subject": d.subject, "version": d.version, "schema_id": d.schema_id}
            for d in registry.register(subjects)
        ],
        as_json,
    )


def verify_registry_command(
    topics: TopicNames = None,
    registry_url: RegistryUrl = DEFAULT_URL,
    patience: Patience = 15.0,
    as_json: AsJson = False,
) -> None:
    """Compare a registry with the contracts: versions, their order, modes, extra and missing ones.

    Exit codes: 0 it holds exactly what git holds, 1 it does not (each difference is named), 2
    usage, 3 it does not answer.
    """
    subjects = chosen(topics)
    registry = Registry(registry_url, patience_seconds=patience)
    names = (
        {subject.subject for subject in subjects}
        if topics
        else {*registry.subjects(), *(subject.subject for subject in subjects)}
    )
    held = {name: found for name in names if (found := registry.held(name)) is not None}
    found_differences = list(differences(subjects, held, all_of_them=not topics))
    if as_json:
        answer = {"ok": not found_differences, "differences": found_differences}
        typer.echo(json.dumps(answer, indent=2))
    else:
        typer.echo("\n".join(found_differences) or f"{len(subjects)} subjects: as in git")
    raise typer.Exit(exit_codes.NO if found_differences else exit_codes.OK)


def _refuse_what_the_gate_refuses(subjects: list[Subject]) -> None:
    report = check(contracts_directory())
    names = {subject.name for subject in subjects}
    findings = tuple(each for each in report.findings if each.topic in names)
    if findings:
        refused = Report(findings, report.notes, (), report.subjects, report.versions)
        typer.echo(rendering.text(refused, Path.cwd()), err=True)
        typer.echo("nothing was registered", err=True)
        raise typer.Exit(refused.exit_code)
