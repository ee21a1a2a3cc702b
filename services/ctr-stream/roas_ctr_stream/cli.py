"""Command line of ctr-stream."""

import json
from pathlib import Path
from typing import Annotated

import typer

from roas_contracts.errors import TransientError
from roas_contracts.exit_codes import NO
from roas_contracts.service import logs
from roas_contracts.service import settings as service_settings
from roas_ctr_stream import JOB_NAME, SERVICE, __version__
from roas_ctr_stream import app as application
from roas_ctr_stream.cluster import Cluster, Job
from roas_ctr_stream.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="From ad events to window deltas, on Flink. Settings come from ROAS_CTR_STREAM_* "
    "environment variables (see the service's README). Exit codes: 0 fine, 1 the answer is no, "
    "2 wrong usage or settings, 3 a dependency does not answer.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def run(
    from_savepoint: Annotated[
        Path | None,
        typer.Option(help="Start from this savepoint or checkpoint instead of the newest one."),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="Read everything again from the beginning. Only right with empty metrics topics.",
        ),
    ] = False,
) -> None:
    """Submit the job if it is not running, and look after it until SIGTERM or Ctrl-C."""
    start = None if from_savepoint is None else application.readable_snapshot(from_savepoint)
    application.run(_settings(), from_savepoint=start, fresh=fresh)


@app.command()
def stop(
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the savepoint.")] = 120.0,
    as_json: AsJson = False,
) -> None:
    """Stop the job with a savepoint and print its path. A later `run` goes on from there."""
    settings = _settings()
    cluster = Cluster(settings.flink_url)
    job = _alive(cluster)
    if job is None:
        typer.echo("the job is not running", err=True)
        raise typer.Exit(NO)
    directory = settings.savepoint_directory.absolute().as_uri()
    path = cluster.stop_with_savepoint(job.id, directory, timeout)
    typer.echo(json.dumps({"job": job.id, "savepoint": path}) if as_json else path)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether the job is running; exit code 1 if it is not."""
    cluster = Cluster(_settings().flink_url)
    job = _alive(cluster)
    if job is None:
        typer.echo(json.dumps({"job": None, "state": None}) if as_json else "no job")
        raise typer.Exit(NO)
    progress = cluster.progress(job.id)
    facts = {
        "job": job.id,
        "state": job.state,
        "checkpoints_completed": progress.completed,
        "checkpoints_failed": progress.failed,
        "restarts": progress.restarts,
        "newest_checkpoint": progress.newest_path,
    }
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        for name, value in facts.items():
            typer.echo(f"{name.replace('_', ' ')}: {value}")
    if job.state != "RUNNING":
        raise typer.Exit(NO)


@app.command()
def local(as_json: AsJson = False) -> None:
    """Count what is in Kafka now in a Flink of this process' own, and end.

    The same job, for a try without a cluster. It starts from the beginning and writes to the
    metrics topics like the real one: do not run both against one Kafka.
    """
    logs.configure(SERVICE, __version__)
    from roas_ctr_stream import submission  # Importing PyFlink takes a second or two.

    job_id = submission.run_here(_settings())
    typer.echo(json.dumps({"job": job_id, "state": "FINISHED"}) if as_json else "finished")


@app.command(hidden=True)
def submit(
    job_id: Annotated[str, typer.Option(help="32 hexadecimal digits.")],
    restore_from: Annotated[str | None, typer.Option(help="Checkpoint or savepoint.")] = None,
    bounded: Annotated[
        bool, typer.Option("--bounded", help="Read up to what is in Kafka now, then finish.")
    ] = False,
) -> None:
    """Submit once and end: what `run` calls, and benchmarks with --bounded."""
    logs.configure(SERVICE, __version__)
    from roas_ctr_stream import submission

    typer.echo(submission.submit(_settings(), restore_from, job_id, bounded=bounded))


def _settings() -> Settings:
    return service_settings.load(Settings)


def _alive(cluster: Cluster) -> Job | None:
    alive = [job for job in cluster.jobs(JOB_NAME) if not job.ended]
    if len(alive) > 1:
        ids = ", ".join(job.id for job in alive)
        raise TransientError(f"there is more than one job of the name {JOB_NAME}: {ids}")
    return alive[0] if alive else None
