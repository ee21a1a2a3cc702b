"""Settings of the dbt marts, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DbtSettings(BaseSettings):
    """Environment variables `ROAS_DBT_*`."""

    model_config = SettingsConfigDict(env_prefix="ROAS_DBT_")

    postgres_dsn: SecretStr = Field(description="PostgreSQL's connection string.")
    program: Path = Field(description="The dbt program, in an environment made from dbt.lock.")
    state: Path = Field(description="Folder of dbt's logs, compiled SQL and results.")
    threads: Annotated[int, Field(ge=1, le=32)] = 2
    """Models computed side by side."""
    work_mem_mb: Annotated[int, Field(ge=4, le=4096)] = 64
    """work_mem of these sessions in MiB: what a sort or half a hash table may take."""
