"""One class per real component, each a context manager around a process of its own.

    with KafkaBroker(directory) as kafka:
        use(kafka.bootstrap)

Ports are random unless given; data survives `stop`, `kill` and the next `start`.
"""

from roas_local.components.airflow import Airflow
from roas_local.components.flink import FlinkCluster, JobManager, TaskManager
from roas_local.components.kafka import KafkaBroker
from roas_local.components.postgres import PostgresServer
from roas_local.components.process import ComponentError, ManagedProcess
from roas_local.components.redis import RedisServer
from roas_local.components.registry import SchemaRegistry
from roas_local.components.service import ServiceProcess

__all__ = [
    "Airflow",
    "ComponentError",
    "FlinkCluster",
    "JobManager",
    "KafkaBroker",
    "ManagedProcess",
    "PostgresServer",
    "RedisServer",
    "SchemaRegistry",
    "ServiceProcess",
    "TaskManager",
]
