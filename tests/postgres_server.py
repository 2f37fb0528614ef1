"""A private PostgreSQL server on loopback, made of the installed binaries and gone with the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

USER, PASSWORD = "keeper", "s3cret-of-the-store"
_NEEDED = ("initdb", "pg_ctl", "postgres")


class PostgresMissingError(Exception):
    """There are no binaries to make a server of."""


def find_binaries() -> Path:
    """The folder of the newest binaries.

    Raises `PostgresMissingError`, which says what is missing and how to get it.
    """
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        if all((folder / name).is_file() for name in _NEEDED):
            return folder
    raise PostgresMissingError(
        f"no PostgreSQL server: {', '.join(_NEEDED)} are neither in /usr/lib/postgresql/*/bin nor in PATH;"
        " on Debian: apt-get install postgresql"
    )


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0


class PostgresServer:
    """A cluster of its own, which asks for a password and cares for speed instead of power cuts."""

    def __init__(self) -> None:
        self._binaries = find_binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._user = "postgres" if os.geteuid() == 0 else None
        self.port = _free_port()
        self._databases: set[str] = set()

    def __enter__(self) -> Self:
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if self._user is not None:
            shutil.chown(password, self._user)
        try:
            self._run("initdb", "--no-sync", f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={password}")
            settings = {
                "listen_addresses": "127.0.0.1",
                "port": self.port,
                "unix_socket_directories": self._folder,
                "fsync": "off",
                "autovacuum": "off",
                "max_connections": 100,
            }
            options = " ".join(f"-c {name}={value}" for name, value in settings.items())
            self._run("pg_ctl", f"--log={self._folder / 'log'}", f"--options={options}", "--wait", "start")
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._run("pg_ctl", "--mode=immediate", "--wait", "stop")
        finally:
            shutil.rmtree(self._folder)

    def empty_database(self, name: str = "store") -> str:
        """The address of a database with nothing in it, `user:password@host:port/name`."""
        if name not in self._databases:
            with self.connect() as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            self._databases.add(name)
        with self.connect(name) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return f"{USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection to look at a database with, which commits every statement."""
        address = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"
        return psycopg.connect(address, autocommit=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._binaries / program, f"--pgdata={self._folder / 'data'}", *arguments]
        # Not a pipe: the server would keep it open.
        with tempfile.TemporaryFile() as told:
            done = subprocess.run(
                command,
                user=self._user,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.STDOUT,
                check=False,
            )
            told.seek(0)
            if done.returncode:
                log = self._folder / "log"
                raise RuntimeError(f"{program}: {told.read().decode()}{log.read_text() if log.exists() else ''}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
