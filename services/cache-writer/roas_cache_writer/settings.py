"""Settings of the cache-writer: environment variables ROAS_CACHE_WRITER_*."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from roas_contracts.redis_layout import WindowSize


class Settings(BaseSettings):
    """Everything a deployment decides. The README has the same table for people."""

    model_config = SettingsConfigDict(env_prefix="ROAS_CACHE_WRITER_", frozen=True)

    kafka_bootstrap: str = "127.0.0.1:29092"
    registry_url: str = "http://127.0.0.1:28081/apis/ccompat/v7"
    postgres_dsn: SecretStr
    """libpq connection string or URL; may hold a password, hence required and never shown."""
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:26379/0")
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    health_host: str = "127.0.0.1"
    health_port: int = Field(default=28103, ge=0, le=65535)

    batch_max_records: int = Field(default=10_000, ge=1, le=100_000)
    """Most records of one PostgreSQL transaction."""
    batch_linger_ms: int = Field(default=20, ge=0, le=10_000)
    """How long a batch waits for more records after its first."""

    redis_kept_windows_1m: int = Field(default=360, ge=1, le=10_080)
    redis_kept_windows_5m: int = Field(default=288, ge=1, le=10_080)
    redis_ttl_seconds: int = Field(default=172_800, ge=60)
    """A window leaves Redis this long after its last write."""

    max_consecutive_dead_letters: int = Field(default=1_000, ge=1)
    """Stop when so many records in a row are poison."""
    max_dead_letter_share: float = Field(default=0.5, gt=0, le=1)
    """Stop when more than this share of the last 10,000 records was poison."""
    accept_lost_records: bool = False
    """Go on although Kafka has deleted records that were not counted yet."""

    def kept_windows(self, size: WindowSize) -> int:
        """How many windows of a size Redis keeps, the newest complete one included."""
        if size is WindowSize.ONE_MINUTE:
            return self.redis_kept_windows_1m
        return self.redis_kept_windows_5m
