"""Settings of `./roas airflow`: environment variables ROAS_AIRFLOW_*."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where Airflow is. The README has the same table for people."""

    model_config = SettingsConfigDict(env_prefix="ROAS_AIRFLOW_", frozen=True, extra="ignore")

    home: Path
    """AIRFLOW_HOME: an absolute folder with airflow.cfg."""
    url: str = "http://127.0.0.1:28110"
    """Base URL of its web pages and REST interface."""
    user: str = "admin"
    passwords: Path
    """Passwords by user, as JSON; never shown unless `login --show-password` asks for it."""
    python: Path
    """Interpreter of the environment that Airflow is installed in."""
