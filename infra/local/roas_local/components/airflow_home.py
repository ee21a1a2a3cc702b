"""Airflow's folder: its configuration and its secrets, each in a file that only the owner reads."""

import configparser
import io
import json
import os
import secrets
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from roas_local.ports import LOOPBACK, Port

DATABASE: Final = "airflow"
"""Name of Airflow's own database in the stack's PostgreSQL, and of the role that owns it."""

ADMIN: Final = "admin"

# No DAG has that many ranges or days in one run; a plan that has is cut by its tool.
_MAX_MAPPED: Final = 4096


@dataclass(frozen=True, slots=True)
class AirflowSecrets:
    """Made at the first start, kept."""

    admin_password: str
    database_password: str
    fernet_key: str
    jwt_secret: str
    session_secret: str

    @classmethod
    def made(cls) -> "AirflowSecrets":
        """New ones."""
        return cls(
            admin_password=secrets.token_urlsafe(18),
            database_password=secrets.token_urlsafe(24),
            fernet_key=urlsafe_b64encode(os.urandom(32)).decode(),
            jwt_secret=secrets.token_urlsafe(48),
            session_secret=secrets.token_urlsafe(32),
        )


@dataclass(frozen=True, slots=True)
class AirflowPorts:
    """What Airflow listens on."""

    api: Port
    scheduler_health: Port


@dataclass(frozen=True, slots=True)
class AirflowHome:
    """`AIRFLOW_HOME`: an absolute folder."""

    folder: Path

    @property
    def config(self) -> Path:
        """Airflow's configuration."""
        return self.folder / "airflow.cfg"

    @property
    def passwords(self) -> Path:
        """Password by user of the web pages and the REST interface, as JSON."""
        return self.folder / "passwords.json"

    @property
    def task_logs(self) -> Path:
        """One log per try of a task."""
        return self.folder / "logs"

    @property
    def _secrets(self) -> Path:
        return self.folder / "secrets.json"

    def secrets(self) -> AirflowSecrets:
        """The kept secrets, made now if there are none."""
        if not self._secrets.is_file():
            write_private(self._secrets, json.dumps(asdict(AirflowSecrets.made())))
        return AirflowSecrets(**json.loads(self._secrets.read_text()))

    def write(self, *, dags: Path, database: str, ports: AirflowPorts, workers: int) -> None:
        """Write configuration and passwords.

        Args:
            dags: folder of the DAG files.
            database: URL of any database of the PostgreSQL server that holds Airflow's.
            ports: what the processes listen on.
            workers: how many tasks run at once.
        """
        kept = self.secrets()
        write_private(self.passwords, json.dumps({ADMIN: kept.admin_password}) + "\n")
        sections = _sections(self, kept, dags, database, ports, workers)
        # No interpolation: a percent sign in a URL means itself (Airflow reads it so when doubled).
        parser = configparser.ConfigParser(interpolation=None)
        for section, options in sections.items():
            parser[section] = {key: value.replace("%", "%%") for key, value in options.items()}
        text = io.StringIO()
        parser.write(text)
        write_private(self.config, text.getvalue())


def database_url(database: str, password: str) -> str:
    """SQLAlchemy's URL of Airflow's database, given the URL of another one of the same server."""
    address = urlsplit(database).netloc.rpartition("@")[2]
    login = f"{DATABASE}:{quote(password, safe='')}"
    return f"postgresql+psycopg://{login}@{address}/{DATABASE}"


def write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(path)


def _sections(
    home: AirflowHome,
    kept: AirflowSecrets,
    dags: Path,
    database: str,
    ports: AirflowPorts,
    workers: int,
) -> dict[str, dict[str, str]]:
    api = f"http://{LOOPBACK}:{ports.api.number}"
    url = database_url(database, kept.database_password)
    return {
        "core": {
            "dags_folder": str(dags),
            "executor": "LocalExecutor",
            "parallelism": str(workers),
            "max_map_length": str(_MAX_MAPPED),
            "load_examples": "False",
            "dags_are_paused_at_creation": "False",
            # Its default is port 8080, wherever the API really listens.
            "execution_api_server_url": f"{api}/execution/",
            "fernet_key": kept.fernet_key,
            "simple_auth_manager_users": f"{ADMIN}:admin",
            "simple_auth_manager_passwords_file": str(home.passwords),
        },
        "database": {
            "sql_alchemy_conn": url,
            # By the same driver, where its default is another.
            "sql_alchemy_conn_async": url,
            "sql_alchemy_pool_size": "4",
            "sql_alchemy_max_overflow": "4",
            "load_default_connections": "False",
        },
        "api": {
            "host": LOOPBACK,
            "port": str(ports.api.number),
            "base_url": api,
            "workers": "1",
            "secret_key": kept.session_secret,
        },
        "api_auth": {"jwt_secret": kept.jwt_secret},
        "scheduler": {
            "enable_health_check": "True",
            "scheduler_health_check_server_host": LOOPBACK,
            "scheduler_health_check_server_port": str(ports.scheduler_health.number),
            # A task whose process was lost with its parent is given up and tried again after this.
            "task_instance_heartbeat_timeout": "60",
            "task_instance_heartbeat_timeout_detection_interval": "10",
        },
        "dag_processor": {
            # Parsing is most of what an idle Airflow costs: only what was changed is parsed again.
            "parsing_processes": "1",
            "file_parsing_sort_mode": "modified_time",
            "min_file_process_interval": "3600",
            "refresh_interval": "30",
        },
        "logging": {"base_log_folder": str(home.task_logs), "colored_console_log": "False"},
        "usage_data_collection": {"enabled": "False"},
    }
