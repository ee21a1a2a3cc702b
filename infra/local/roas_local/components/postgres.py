"""PostgreSQL."""

import os
import pwd
import secrets
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg

from roas_local.components.process import Identity, Launch, ManagedProcess, run_to_end
from roas_local.install import Toolchain, default_toolchain
from roas_local.ports import LOOPBACK, Port, free_port

DATABASE = "roas"
USER = "roas"

_INIT_SECONDS = 120.0
_PROBE_SECONDS = 3

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    # No socket file: its path may be longer than the system allows.
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%a ",
}


class PostgresServer(ManagedProcess):
    """A real PostgreSQL server with one database. Never runs as root: it would refuse to."""

    name = "postgres"
    # "Fast": roll back what is open, disconnect, write everything out.
    stop_signal = signal.SIGINT

    def __init__(
        self,
        directory: Path | str,
        *,
        port: Port | None = None,
        log_path: Path | None = None,
        toolchain: Toolchain | None = None,
    ) -> None:
        super().__init__(directory, log_path)
        self._port = port or free_port()
        self._toolchain = toolchain or default_toolchain()

    @property
    def password(self) -> str:
        """Made at the first start, kept in a file that only the owner can read."""
        return (self.directory / "password").read_text().strip()

    @property
    def dsn(self) -> str:
        """Connection URL of the database."""
        address = f"{LOOPBACK}:{self._port.number}"
        return f"postgresql://{USER}:{quote(self.password)}@{address}/{DATABASE}"

    def ports(self) -> Mapping[str, Port]:
        """What it listens on."""
        return {"PostgreSQL": self._port}

    def prepare(self) -> None:
        """Write the configuration, format the storage."""
        super().prepare()
        if not self._data.exists():
            self._initialise()

    def launch(self) -> Launch:
        """The program and its arguments."""
        settings = [f"--{key}={value}" for key, value in _SETTINGS.items()]
        port = str(self._port.number)
        return self._as_owner("postgres", "-D", self._data, "-p", port, *settings)

    def probe(self) -> bool:
        """Whether it answers as it should."""
        with psycopg.connect(self.dsn, connect_timeout=_PROBE_SECONDS) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _initialise(self) -> None:
        # Under another name until complete: an interrupted start must not leave half a database.
        unfinished = self.directory / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password_file = self.directory / "password"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24))
        given = unfinished.with_name("password.initdb")
        shutil.copy(password_file, given)
        identity = _identity()
        if identity is not None:
            for path in (unfinished, given):
                os.chown(path, identity.uid, identity.gid)
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        where = ("-D", unfinished)
        init = self._as_owner("initdb", *where, "-U", USER, "--pwfile", given, *options)
        run_to_end(init, self.log_path, _INIT_SECONDS)
        given.unlink()
        single = self._as_owner("postgres", "--single", *where, "postgres")
        statement = f"CREATE DATABASE {DATABASE}\n".encode()
        run_to_end(single, self.log_path, _INIT_SECONDS, stdin=statement)
        unfinished.rename(self._data)

    def _as_owner(self, program: str, *arguments: str | Path) -> Launch:
        argv = [self._toolchain.postgres() / program, *arguments]
        # "/" because the program must be able to stand in its working directory.
        return Launch(argv, cwd=Path("/"), env={"TZ": "UTC"}, identity=_identity())


def _identity() -> Identity | None:
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Identity(nobody.pw_uid, nobody.pw_gid)
