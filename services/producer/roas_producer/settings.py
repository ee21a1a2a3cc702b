"""Settings from ``ROAS_PRODUCER_*`` environment variables."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProducerSettings(BaseSettings):
    """Where things are and how transactions are cut. The README documents each variable."""

    model_config = SettingsConfigDict(env_prefix="ROAS_PRODUCER_", frozen=True)

    kafka_bootstrap: str = Field(default="127.0.0.1:29092", min_length=1)
    """Kafka's ``host:port``, comma-separated."""
    registry_url: str = Field(
        default="http://127.0.0.1:28081/apis/ccompat/v7", pattern=r"^https?://"
    )
    """Base URL of the schema registry."""
    health_port: int = Field(default=0, ge=0, le=65535)
    """Port of /healthz, /readyz and /metrics; 0: none."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """ISO 4217 code of the deployment's reporting currency."""
    commit_interval_ms: int = Field(default=1000, ge=10, le=20_000)
    """A transaction is committed, and a heartbeat written, this often."""
    commit_records: int = Field(default=50_000, ge=1)
    """A transaction is committed earlier when it has about so many records."""
    max_bad_row_share: float = Field(default=0.5, ge=0, le=1)
    """``publish`` stops where more than this share of the rows is bad."""
    transaction_timeout_ms: int = Field(default=60_000, ge=5_000, le=900_000)
    """Kafka aborts a transaction that is open longer, such as that of a killed producer."""
    startup_timeout_seconds: float = Field(default=60.0, gt=0)
    """How long to wait for Kafka and the registry at the start."""
    outage_timeout_seconds: float = Field(default=300.0, gt=0)
    """How long to wait for Kafka to come back in mid-stream."""
