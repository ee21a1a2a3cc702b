"""Settings of the DAGs: environment variables ROAS_DAGS_*."""

from functools import cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DagSettings(BaseSettings):
    """Everything a deployment decides. The README has the same table for people."""

    model_config = SettingsConfigDict(env_prefix="ROAS_DAGS_", frozen=True)

    batch_command: tuple[str, ...] = ("./roas", "batch")
    """How `roas batch` is started, as a JSON list."""
    dbt_command: tuple[str, ...] = ("./roas", "dbt")
    """How `roas dbt` is started, as a JSON list."""

    ingest_schedule: str = "@hourly"
    """When new records are archived and days rebuilt, as cron; empty: only when asked to."""
    maintain_schedule: str = "30 3 * * *"
    """When maintenance runs, as cron (UTC); empty: only when asked to."""

    retries: int = Field(default=5, ge=0, le=100)
    """How often a task is tried again when something it needs does not answer."""
    retry_delay_seconds: float = Field(default=10.0, gt=0)
    """Wait before the first retry; each later one waits twice as long."""
    retry_delay_max_seconds: float = Field(default=600.0, gt=0)
    task_timeout_seconds: float = Field(default=3600.0, gt=0)
    """A tool that takes longer is ended with its children, and tried again."""


@cache
def dag_settings() -> DagSettings:
    """The settings, read once. Raises pydantic.ValidationError naming the wrong one."""
    return DagSettings()
