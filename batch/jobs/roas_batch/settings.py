"""Settings of the batch: environment variables ROAS_BATCH_*."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything a deployment decides. The README has the same table for people."""

    model_config = SettingsConfigDict(env_prefix="ROAS_BATCH_", frozen=True)

    kafka_bootstrap: str = "127.0.0.1:29092"
    registry_url: str = "http://127.0.0.1:28081/apis/ccompat/v7"
    postgres_dsn: SecretStr
    """libpq connection string or URL; may hold a password, hence required and never shown."""
    archive: Path
    """Folder of the archive. Required: a backup must not lie wherever one happens to stand."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """The reporting currency: an event in another is poison."""
    range_records: int = Field(default=500_000, ge=1)
    """Most offsets of one planned range: one task's work."""
    file_records: int = Field(default=250_000, ge=1)
    """Most records of one file."""
    file_bytes: int = Field(default=64 * 1024 * 1024, ge=1)
    """Most bytes of keys and values in one file: bounds the memory."""
    workers: int = Field(default=2, ge=1, le=64)
    """Processes that load a day's files."""
    retention_days: int | None = Field(default=None, ge=1)
    """Days behind the newest event day that raw and realtime keep; None keeps everything."""
