"""Settings of the native stack: ports, and what differs from one machine to another."""

from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from roas_local.ports import Port

_PREFIX = "ROAS_LOCAL_"

BATCH_VARIABLE: Final = f"{_PREFIX}BATCH"


class StackSettings(BaseSettings):
    """Environment variables ROAS_LOCAL_*; every port is on 127.0.0.1."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore")

    kafka_port: int = Field(29092, ge=1, le=65535)
    kafka_controller_port: int = Field(29093, ge=1, le=65535)
    registry_port: int = Field(28081, ge=1, le=65535)
    postgres_port: int = Field(25432, ge=1, le=65535)
    redis_port: int = Field(26379, ge=1, le=65535)
    flink_port: int = Field(28082, ge=1, le=65535)
    flink_rpc_port: int = Field(28083, ge=1, le=65535)
    flink_metrics_port: int = Field(29250, ge=1, le=65535)
    flink_taskmanager_metrics_port: int = Field(29251, ge=1, le=65535)
    producer_health_port: int = Field(28101, ge=1, le=65535)
    ctr_stream_health_port: int = Field(28102, ge=1, le=65535)
    cache_writer_health_port: int = Field(28103, ge=1, le=65535)
    dlq_handler_health_port: int = Field(28104, ge=1, le=65535)
    airflow_port: int = Field(28110, ge=1, le=65535)
    airflow_scheduler_health_port: int = Field(28111, ge=1, le=65535)
    batch: bool = False
    """Whether Airflow runs, too: what `./roas up --batch` sets."""
    airflow_workers: int = Field(2, ge=1, le=32)
    """How many tasks of the batch run at once, each a process of about 150 MB and its tool."""

    @classmethod
    def port_fields(cls) -> list[str]:
        """The fields that are ports."""
        return [name for name in cls.model_fields if name.endswith("_port")]

    def port(self, name: str) -> Port:
        """A port by its field's name without `_port`, with the variable that changes it."""
        field = f"{name}_port"
        number: int = getattr(self, field)
        return Port(number, f"{_PREFIX}{field.upper()}")
