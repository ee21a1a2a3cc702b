"""The contracts' command line: a deploy step registers schemas and creates topics from it."""

from typing import Annotated

import typer
from confluent_kafka.admin import AdminClient

from roas_contracts.compatibility.command import compat_command
from roas_contracts.gate.commands import check_command, publish_command
from roas_contracts.gate.reading_commands import diff_command, docs_command, show_command
from roas_contracts.gate.registry_commands import register_command, verify_registry_command
from roas_contracts.gate.topic_choice import TopicNames, chosen
from roas_contracts.subjects import load_subjects
from roas_contracts.tables import print_rows
from roas_contracts.topics import create_topics

app = typer.Typer(
    name="roas-contracts",
    help=(
        "The event contracts: topics, their schemas and their settings, as contracts/avro says.\n\n"
        "Exit codes: 0 done, 1 the answer is no, 2 usage or a file is wrong, 3 Kafka or the "
        "registry is away."
    ),
    no_args_is_help=True,
    add_completion=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


app.command("check")(check_command)
app.command("publish")(publish_command)
app.command("compat")(compat_command)
app.command("show")(show_command)
app.command("diff")(diff_command)
app.command("docs")(docs_command)
app.command("register")(register_command)
app.command("verify-registry")(verify_registry_command)


@app.command("topics")
def topics_command(
    topics: TopicNames = None,
    bootstrap: Annotated[
        str,
        typer.Option(envvar="ROAS_CONTRACTS_KAFKA_BOOTSTRAP", help="Kafka's addresses, host:port."),
    ] = "127.0.0.1:29092",
    replication: Annotated[
        int | None,
        typer.Option(min=1, help="Largest replication factor: 1 on a single broker."),
    ] = None,
    may_delete: Annotated[
        bool,
        typer.Option(
            "--may-delete",
            help="Change also a retention or cleanup policy by which Kafka deletes records that it "
            "keeps now.",
        ),
    ] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Bound of each request, seconds.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Create the topics and partitions that are missing; change settings that differ.

    Safe to repeat, also while everything runs. A topic that has more partitions than its contract
    says is an error: Kafka can't take them away. So is a shorter retention or another cleanup
    policy, until you say --may-delete.
    """
    # The client's own complaints would come before our one sentence.
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    done = create_topics(
        admin,
        chosen(topics),
        max_replication=replication,
        may_delete=may_delete,
        timeout_seconds=timeout,
    )
    rows = [
        {
            "topic": d.topic,
            "created": d.created,
            "added_partitions": d.added_partitions,
            "partitions": d.partitions,
            "replication": d.replication,
            "changed": [str(each) for each in d.changed],
        }
        for d in done
    ]
    print_rows(rows, as_json)


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
    print_rows(rows, as_json, columns=("topic", "versions", "partitions", "producers", "consumers"))
