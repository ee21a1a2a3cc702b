"""Where the ledger finds the lineages it compares."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class LedgerSettings(BaseSettings):
    """Environment variables `ROAS_LEDGER_*`."""

    model_config = SettingsConfigDict(env_prefix="ROAS_LEDGER_")

    kafka_bootstrap: str = Field("127.0.0.1:29092", description="Kafka's address.")
    registry_url: str = Field(
        "http://127.0.0.1:28081/apis/ccompat/v7", description="Schema Registry's base URL."
    )
    postgres_dsn: SecretStr = Field(description="PostgreSQL's connection string.")
    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:26379/0"), description="Redis' address."
    )
    currency: str = Field("USD", pattern="^[A-Z]{3}$", description="Reporting currency.")
    stream_group: str = Field("ctr-stream", description="Consumer group of the stream.")
    cache_group: str = Field("cache-writer", description="Consumer group of the cache writer.")
    out_of_orderness_ms: int = Field(
        5_000, ge=0, description="How far the stream's watermark stays behind its clocks."
    )
