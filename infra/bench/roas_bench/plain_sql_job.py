"""Submits a file of Flink SQL as one job to a session cluster and prints its id as JSON.

Runs in Flink's own Python environment, as a process: `python -m roas_bench.plain_sql_job`.
"""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment
from pyflink.util.java_utils import add_jars_to_context_class_loader, to_jarray


def submit(url: str, jars: list[Path], options: dict[str, str], sql: str) -> str:
    """Submit the statements of `sql`, its INSERTs together as one job, and return the job's id."""
    add_jars_to_context_class_loader([jar.as_uri() for jar in jars])
    tables = StreamTableEnvironment.create(_environment(url, jars, options))
    inserts = tables.create_statement_set()
    for statement in _statements(sql):
        if statement.startswith("INSERT"):
            inserts.add_insert_sql(statement)
        else:
            tables.execute_sql(statement)
    client = inserts.execute().get_job_client()
    assert client is not None
    return str(client.get_job_id())


def _statements(sql: str) -> list[str]:
    lines = [line for line in sql.splitlines() if not line.startswith("--")]
    return [text.strip() for text in "\n".join(lines).split(";\n") if text.strip()]


def _environment(url: str, jars: list[Path], options: dict[str, str]) -> StreamExecutionEnvironment:
    java: Any = get_gateway().jvm
    configuration = java.org.apache.flink.configuration.Configuration()
    for name, value in options.items():
        configuration.setString(name, value)
    address = urlsplit(url)
    remote = java.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
    return StreamExecutionEnvironment(
        remote.createRemoteEnvironment(
            address.hostname,
            address.port,
            configuration,
            to_jarray(java.java.lang.String, [str(jar) for jar in jars]),
        )
    )


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    job = submit(
        wanted["url"], [Path(jar) for jar in wanted["jars"]], wanted["options"], wanted["sql"]
    )
    print(json.dumps({"job": job}))
