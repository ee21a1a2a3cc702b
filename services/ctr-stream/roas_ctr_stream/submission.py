"""Sending the job to the cluster, or running it here.

Submitting needs a JVM and takes some seconds; watching needs neither. So `run` starts this in a
process of its own (`python -m roas_ctr_stream submit`), which ends when the cluster has the job.
"""

from collections.abc import Mapping
from typing import Final

import structlog

from roas_ctr_stream import JOB_NAME, job
from roas_ctr_stream.jvm import Jvm
from roas_ctr_stream.settings import Settings
from roas_ctr_stream.writer_schemas import writer_schema_ids

_WATERMARK_INTERVAL_MS: Final = 100
_KEPT_CHECKPOINTS: Final = 3
_FOREVER: Final = str(2**31 - 1)


def options(settings: Settings, restore_from: str | None, job_id: str | None) -> dict[str, str]:
    """Flink's options of the job. Those in the cluster's own file would be ignored.

    Args:
        settings: the deployment's.
        restore_from: path of a checkpoint or savepoint.
        job_id: 32 hexadecimal digits. The cluster refuses a second job with the same id, so a
            submission whose answer was lost can be repeated.
    """
    chosen = {
        "pipeline.name": JOB_NAME,
        "pipeline.object-reuse": "true",
        "pipeline.generic-types": "false",
        "pipeline.auto-watermark-interval": f"{_WATERMARK_INTERVAL_MS} ms",
        "parallelism.default": str(settings.parallelism),
        "execution.checkpointing.interval": f"{settings.checkpoint_interval_ms} ms",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.dir": settings.checkpoints.absolute().as_uri(),
        "execution.checkpointing.savepoint-dir": settings.savepoint_directory.absolute().as_uri(),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.num-retained": str(_KEPT_CHECKPOINTS),
        # A source that waits for the schema registry passes no barrier on: that checkpoint fails,
        # which is no reason to restart anything.
        "execution.checkpointing.timeout": "30 s",
        "execution.checkpointing.tolerable-failed-checkpoints": _FOREVER,
        "state.backend.type": "hashmap",
        # Unlimited attempts: an outage of Kafka ends when Kafka is back.
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "15 s",
    }
    if job_id is not None:
        chosen["$internal.pipeline.job-id"] = job_id
    if restore_from is not None:
        chosen["execution.state-recovery.path"] = restore_from
    return chosen


def submit(
    settings: Settings, restore_from: str | None, job_id: str | None, *, bounded: bool = False
) -> str:
    """Submit the job to the session cluster and return its id.

    Args:
        settings: the deployment's.
        restore_from: path of a checkpoint or savepoint.
        job_id: see `options`.
        bounded: read up to what is in Kafka now, then finish.

    Raises:
        MisconfigurationError: a jar or a schema is missing.
        TransientError: the registry did not answer.
    """
    schema_ids = writer_schema_ids(settings.registry_url)
    jars = settings.jar_paths()
    jvm = Jvm(jars)
    environment = jvm.cluster_environment(
        settings.flink_url, options(settings, restore_from, job_id)
    )
    job.build(environment, jvm, settings, schema_ids, bounded=bounded)
    client = environment.execute_async(JOB_NAME)
    submitted = str(client.get_job_id())
    structlog.get_logger().info("submitted", job_id=submitted, restored_from=restore_from)
    return submitted


def run_here(settings: Settings) -> str:
    """Run the job in this process' JVM over what is in Kafka now, and return its id.

    Raises:
        MisconfigurationError: a jar or a schema is missing.
        TransientError: the registry did not answer.
    """
    schema_ids = writer_schema_ids(settings.registry_url)
    jars = settings.jar_paths()
    jvm = Jvm(jars)
    here: Mapping[str, str] = {
        **options(settings, None, None),
        "pipeline.jars": ";".join(jar.as_uri() for jar in jars),
    }
    environment = jvm.local_environment(here)
    job.build(environment, jvm, settings, schema_ids, bounded=True)
    return str(environment.execute(JOB_NAME).get_job_id())
