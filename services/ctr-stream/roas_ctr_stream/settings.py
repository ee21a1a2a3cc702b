"""Settings of ctr-stream: ROAS_CTR_STREAM_* environment variables."""

import os
from enum import StrEnum
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from roas_contracts.errors import MisconfigurationError

BROKERS_LONGEST_TRANSACTION_MS = 900_000
"""Kafka's default transaction.max.timeout.ms: a longer timeout is refused by the broker."""


class OnStop(StrEnum):
    """What SIGTERM does to the job."""

    CANCEL = "cancel"
    LEAVE = "leave"


class Settings(BaseSettings):
    """Everything that differs from one deployment to another. The README has the table."""

    model_config = SettingsConfigDict(env_prefix="ROAS_CTR_STREAM_")

    kafka_bootstrap: str = Field(min_length=1)
    registry_url: str = Field(pattern="^https?://")
    flink_url: str = Field(pattern="^https?://")
    jars: str = Field(min_length=1)
    checkpoints: Path
    savepoints: Path | None = None
    health_port: int = Field(default=0, ge=0, le=65535)
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    parallelism: int = Field(default=2, ge=1)
    out_of_orderness_ms: int = Field(default=5_000, ge=0)
    idle_after_ms: int = Field(default=60_000, ge=1_000)
    checkpoint_interval_ms: int = Field(default=1_000, ge=100)
    transaction_timeout_ms: int = Field(
        default=BROKERS_LONGEST_TRANSACTION_MS, ge=10_000, le=BROKERS_LONGEST_TRANSACTION_MS
    )
    ready_checkpoint_age_s: float = Field(default=30.0, gt=0)
    on_stop: OnStop = OnStop.CANCEL

    @field_validator("registry_url", "flink_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @property
    def savepoint_directory(self) -> Path:
        """Where `stop` writes: ROAS_CTR_STREAM_SAVEPOINTS, else beside the checkpoints."""
        return self.savepoints or self.checkpoints.parent / "savepoints"

    def jar_paths(self) -> list[Path]:
        """The jars that are shipped with the job.

        Raises:
            MisconfigurationError: one is not there.
        """
        paths = [Path(entry) for entry in self.jars.split(os.pathsep) if entry]
        missing = [str(path) for path in paths if not path.is_file()]
        if missing:
            raise MisconfigurationError(
                f"ROAS_CTR_STREAM_JARS names files that are not there: {', '.join(missing)}"
            )
        return paths
