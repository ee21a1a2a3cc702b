"""Settings of the dlq-handler and its tool: environment variables ROAS_DLQ_HANDLER_*."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything a deployment decides. The README has the same table for people."""

    model_config = SettingsConfigDict(env_prefix="ROAS_DLQ_HANDLER_", frozen=True)

    kafka_bootstrap: str = "127.0.0.1:29092"
    registry_url: str = "http://127.0.0.1:28081/apis/ccompat/v7"
    postgres_dsn: SecretStr = Field(min_length=1)
    """libpq connection string or URL; may hold a password, hence required and never shown."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """A repaired event in another currency would fail again: it is not sent."""
    environment: str = Field(default="local", min_length=1)
    """The deployment's name; any but local has to be confirmed by whoever changes something."""
    health_host: str = "127.0.0.1"
    health_port: int = Field(default=28104, ge=0, le=65535)

    batch_max_records: int = Field(default=5_000, ge=1, le=100_000)
    """Most records of one PostgreSQL transaction."""
    batch_linger_ms: int = Field(default=20, ge=0, le=10_000)
    """How long a batch waits for more records after its first."""
    replay_cap: int = Field(default=3, ge=1)
    """What fails again after so many replays is quarantined."""
    accept_lost_records: bool = False
    """Go on although Kafka has deleted records that were not stored yet."""
