"""The contracts' command line: a deploy step registers schemas and creates topics from it."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from confluent_kafka.admin import AdminClient
from rich.console import Console
from rich.table import Table

from roas_contracts.compatibility.command import compat_command
from roas_contracts.errors import InputError
from roas_contracts.gate.commands import check_command, publish_command
from roas_contracts.registry import Registry
from roas_contracts.subjects import Subject, load_subjects
from roas_contracts.topics import create_topics

app = typer.Typer(
    name="roas-contracts",
    help=(
        "The event contracts: topics, their schemas and their settings, as contracts/avro says.\n\n"
        "Exit codes: 0 done, 2 usage or a contract is wrong, 3 Kafka or the registry is away."
    ),
    no_args_is_help=True,
    add_completion=False,
)

Topics = Annotated[list[str] | None, typer.Argument(help="Topics; all of them when none is named.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


app.command("check")(check_command)
app.command("publish")(publish_command)
app.command("compat")(compat_command)


@app.command("register")
def register_command(
    topics: Topics = None,
    registry_url: Annotated[
        str,
        typer.Option(
            envvar="ROAS_CONTRACTS_REGISTRY_URL", help="Base URL of the registry's Confluent API."
        ),
    ] = "http://127.0.0.1:28081/apis/ccompat/v7",
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to go on trying while the registry is away.")
    ] = 15.0,
    as_json: AsJson = False,
) -> None:
    """Register every version of the schemas, and set each subject's compatibility mode.

    Safe to repeat: what is registered keeps its id.
    """
    registry = Registry(registry_url, patience_seconds=patience)
    done = registry.register(_chosen(topics))
    rows = [
        {"topic": d.topic, "subject": d.subject, "version": d.version, "schema_id": d.schema_id}
        for d in done
    ]
    _print(rows, as_json)


@app.command("topics")
def topics_command(
    topics: Topics = None,
    bootstrap: Annotated[
        str,
        typer.Option(envvar="ROAS_CONTRACTS_KAFKA_BOOTSTRAP", help="Kafka's addresses, host:port."),
    ] = "127.0.0.1:29092",
    replication: Annotated[
        int | None,
        typer.Option(min=1, help="Largest replication factor: 1 on a single broker."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Bound of each request, seconds.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Create the topics that are missing, with their settings, and partitions that are missing.

    Safe to repeat, also while everything runs. A topic that has more partitions than its contract
    says is an error: Kafka can't take them away.
    """
    # The client's own complaints would come before our one sentence.
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    done = create_topics(
        admin, _chosen(topics), max_replication=replication, timeout_seconds=timeout
    )
    rows = [
        {
            "topic": d.topic,
            "created": d.created,
            "added_partitions": d.added_partitions,
            "partitions": d.partitions,
            "replication": d.replication,
        }
        for d in done
    ]
    _print(rows, as_json)


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Show every topic: its record type, versions, owner, producers and consumers."""
    rows = [
        {
            "topic": subject.name,
            "record": subject.record_name,
            "versions": [version.number for version in subject.versions],
            "compatibility": subject.file.compatibility,
            "partitions": subject.file.topic.partitions,
            "owner": subject.file.owner,
            "producers": subject.file.producers,
            "consumers": subject.file.consumers,
            "description": subject.file.description,
        }
        for subject in load_subjects().values()
    ]
    _print(rows, as_json, columns=("topic", "versions", "partitions", "producers", "consumers"))


def _chosen(topics: Sequence[str] | None) -> list[Subject]:
    subjects = load_subjects()
    unknown = sorted(set(topics or ()) - subjects.keys())
    if unknown:
        raise InputError(
            f"there is no contract for {', '.join(unknown)}: there are {', '.join(subjects)}"
        )
    return [subject for name, subject in subjects.items() if not topics or name in topics]


def _print(rows: list[dict[str, Any]], as_json: bool, columns: Sequence[str] | None = None) -> None:
    """JSON with everything, or a table for a person (with these columns only)."""
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    chosen = columns or list(rows[0])
    table = Table(*(name.replace("_", " ") for name in chosen))
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in chosen))
    Console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
