"""Apache Airflow: API server, scheduler (which runs the tasks, too) and DAG processor."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx
import psycopg
from psycopg import sql

from roas_local.components.airflow_home import DATABASE, AirflowHome, AirflowPorts
from roas_local.components.process import Launch, ManagedProcess, run_to_end
from roas_local.install import Toolchain, default_toolchain
from roas_local.ports import LOOPBACK, Port, free_port

_MIGRATE_SECONDS: Final = 180.0
_PROBE_SECONDS: Final = 3.0


class AirflowProcess(ManagedProcess):
    """One of Airflow's processes. Data is in PostgreSQL and in the common home."""

    # On two busy cores importing Airflow alone has taken half a minute.
    ready_timeout_s = 180.0
    # The scheduler waits for running tasks, which may take hours: they are made to be ended.
    stop_timeout_s = 10.0

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        home: AirflowHome,
        python: Path,
        env: Mapping[str, str],
        log_path: Path | None = None,
    ) -> None:
        self.name = name
        super().__init__(home.folder, log_path)
        self._launch = airflow_launch(home, python, env, arguments)

    def launch(self) -> Launch:
        """The program and its arguments."""
        return self._launch


class ApiServer(AirflowProcess):
    """Web pages, REST interface, and what tasks talk to."""

    def __init__(self, port: Port, **options: Any) -> None:
        super().__init__("airflow-api", ["api-server"], **options)
        self._port = port

    @property
    def url(self) -> str:
        """Base URL of web pages and REST interface."""
        return f"http://{LOOPBACK}:{self._port.number}"

    def ports(self) -> Mapping[str, Port]:
        """What it listens on."""
        return {"Airflow's web pages": self._port}

    def health(self) -> dict[str, Any]:
        """What it says about the others. Raises httpx.HTTPError."""
        answer = httpx.get(f"{self.url}/api/v2/monitor/health", timeout=_PROBE_SECONDS)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def probe(self) -> bool:
        """Whether it answers as it should."""
        return bool(self.health()["metadatabase"]["status"] == "healthy")


class Scheduler(AirflowProcess):
    """Decides what runs, and runs it in processes of its own."""

    def __init__(self, health_port: Port, **options: Any) -> None:
        # Its log server would listen on all interfaces; the API server reads the files itself.
        super().__init__("airflow-scheduler", ["scheduler", "--skip-serve-logs"], **options)
        self._health_port = health_port

    def ports(self) -> Mapping[str, Port]:
        """What it listens on."""
        return {"Airflow's scheduler's health": self._health_port}

    def probe(self) -> bool:
        """Whether it answers as it should."""
        url = f"http://{LOOPBACK}:{self._health_port.number}/health"
        return httpx.get(url, timeout=_PROBE_SECONDS).status_code == httpx.codes.OK


class DagProcessor(AirflowProcess):
    """Reads the DAG files."""

    def __init__(self, api: ApiServer, **options: Any) -> None:
        super().__init__("airflow-dags", ["dag-processor"], **options)
        self._api = api

    def probe(self) -> bool:
        """Whether it answers as it should."""
        return bool(self._api.health()["dag_processor"]["status"] == "healthy")


class Airflow:
    """Airflow's processes, each a component of its own, over one home and one database."""

    def __init__(
        self,
        directory: Path | str,
        *,
        database: str,
        env: Mapping[str, str],
        workers: int = 2,
        ports: AirflowPorts | None = None,
        log_folder: Path | None = None,
        toolchain: Toolchain | None = None,
    ) -> None:
        """Prepare nothing yet.

        Args:
            directory: becomes AIRFLOW_HOME.
            database: URL of the stack's database, by an owner who may create others.
            env: settings of our DAGs and of the tools that they start.
            workers: how many tasks run at once.
            ports: random ones if left out.
            log_folder: of the processes' logs; in `directory` if left out.
            toolchain: what is installed.
        """
        tools = toolchain or default_toolchain()
        self.home = AirflowHome(Path(directory).absolute())
        self._database = database
        self._workers = workers
        self._ports = ports or AirflowPorts(free_port(), free_port())
        self._dags = tools.layout.repository / "batch" / "airflow" / "dags"
        self._env = dict(env)
        self._python = tools.environment("airflow")
        self._logs = log_folder or self.home.folder
        common = {"home": self.home, "python": self._python, "env": self._env}

        def log(name: str) -> Path:
            return self._logs / f"{name}.log"

        self.api = ApiServer(self._ports.api, log_path=log("airflow-api"), **common)
        self.scheduler = Scheduler(
            self._ports.scheduler_health, log_path=log("airflow-scheduler"), **common
        )
        self.dag_processor = DagProcessor(self.api, log_path=log("airflow-dags"), **common)

    @property
    def processes(self) -> list[ManagedProcess]:
        """All of them, in the order of starting."""
        return [self.api, self.scheduler, self.dag_processor]

    def prepare(self) -> None:
        """Write the configuration, create the database, bring its tables up to date.

        Safe to repeat.

        Raises:
            ComponentError: the tables could not be made.
        """
        self.home.write(
            dags=self._dags, database=self._database, ports=self._ports, workers=self._workers
        )
        create_database(self._database, self.home.secrets().database_password)
        migrate = airflow_launch(self.home, self._python, self._env, ["db", "migrate"])
        run_to_end(migrate, self._logs / "airflow-database.log", _MIGRATE_SECONDS)

    def __enter__(self) -> Self:
        try:
            for process in self.processes:
                process.spawn()
            for process in self.processes:
                process.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop all of them; tasks that run are ended, and tried again later."""
        for process in reversed(self.processes):
            process.stop()


def airflow_launch(
    home: AirflowHome, python: Path, env: Mapping[str, str], arguments: Sequence[str]
) -> Launch:
    """Airflow's own command line, with this home."""
    own = {"AIRFLOW_HOME": str(home.folder), "AIRFLOW_CONFIG": str(home.config)}
    return Launch([python, "-m", "airflow", *arguments], cwd=home.folder, env={**env, **own})


def create_database(database: str, password: str) -> None:
    """Create Airflow's role and database unless they are there; the role gets this password."""
    name = sql.Identifier(DATABASE)
    with psycopg.connect(database, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [DATABASE])
        verb = sql.SQL("ALTER" if known.fetchone() else "CREATE")
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, name, sql.Literal(password))
        )
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if not there.fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
