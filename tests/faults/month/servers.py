"""A PostgreSQL and a Redis of the test's own, which may be killed like the product's processes."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg


class Unavailable(Exception):
    """What is needed is not installed."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(ready: Callable[[], bool], *, seconds: float, what: str, pause: float = 0.03) -> None:
    """Ask until it is so; AssertionError past the time."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(pause)


def children(pid: int) -> list[int]:
    """The children of a process, by /proc."""
    try:
        return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def kill_group(pid: int) -> None:
    """kill -9 to a process and all that stayed in its session's group, as a container's end does."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


class Postgres:
    """A cluster of its own, with the durability of production: fsync, full pages, synchronous commit."""

    def __init__(self) -> None:
        on_path = [Path(name) for name in os.environ.get("PATH", "").split(os.pathsep)]
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        needed = ("initdb", "postgres", "pg_dump", "psql")
        found = [place for place in [*debian, *on_path] if all((place / name).exists() for name in needed)]
        if not found:
            raise Unavailable("no initdb: PostgreSQL's server is not installed here")
        self._bin = found[0]
        self.folder = Path(tempfile.mkdtemp(prefix="huida-faults-"))
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:  # which a PostgreSQL never runs as
            try:
                owner = pwd.getpwnam("postgres")
            except KeyError as error:
                raise Unavailable("no user postgres to run a server as") from error
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.port = free_port()
        self._run(
            "initdb", "-D", str(self.data), "-U", "huida", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"
        )
        (self.data / "postgresql.auto.conf").write_text(
            f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
            "max_connections = 80\nshared_buffers = 64MB\nfsync = on\nsynchronous_commit = on\nfull_page_writes = on\n"
            "restart_after_crash = on\nautovacuum = off\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def connect(self, name: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="huida", dbname=name, autocommit=True, connect_timeout=5
        )

    def answers(self) -> bool:
        try:
            with self.connect() as found:
                found.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> None:
        """Start, or start again after a kill, and wait until it has recovered."""
        end = time.monotonic() + 60
        while True:
            if self._process is None or self._process.poll() is not None:
                with (self.folder / "log").open("ab") as log:
                    self._process = subprocess.Popen(
                        [str(self._bin / "postgres"), "-D", str(self.data)],
                        stdout=log,
                        stderr=log,
                        cwd=self.folder,
                        start_new_session=True,
                        **self._as,
                    )
            if self.answers():
                return
            assert time.monotonic() < end, (self.folder / "log").read_text()[-2000:]
            # A backend that outlives its postmaster holds the shared memory for a moment: then it is tried again.
            time.sleep(0.05)

    def kill(self, *, whole: bool) -> None:
        """kill -9 the postmaster, alone or with every backend."""
        assert self._process is not None
        if whole:
            for child in children(self.pid):
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait(20)

    def load(self, name: str, source: dict[str, str]) -> None:
        """A database made of another server's, by pg_dump."""
        with self.connect() as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
        environment = {**os.environ, "PGPASSWORD": source["password"]}
        place = ["-h", source["host"], "-p", source["port"], "-U", source["user"]]
        dump = subprocess.Popen(
            [str(self._bin / "pg_dump"), *place, "--no-owner", source["name"]],
            stdout=subprocess.PIPE,
            env=environment,
        )
        here = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "huida", "-d", name]
        subprocess.run(
            [str(self._bin / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", *here],
            stdin=dump.stdout,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        assert dump.stdout is not None
        dump.stdout.close()
        assert dump.wait(60) == 0

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill(whole=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(self._bin / name), *arguments]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=120, **self._as)


class Redis:
    """A broker that keeps nothing over its death."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("redis-server")
        if not found:
            raise Unavailable("no redis-server")
        self._command = found
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._command, *options], stdout=log, stderr=log, cwd=self._folder, start_new_session=True
            )
        until(self.answers, seconds=20, what="Redis")

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as found:
                found.sendall(b"PING\r\n")
                return found.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def forget(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as found:
            found.sendall(b"FLUSHALL\r\n")
            assert found.recv(16).startswith(b"+OK")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
