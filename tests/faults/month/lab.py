"""Everything that a district runs, on servers of the test's own; and a hand on each process."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error, connection

from disbursement.models import Gateway
from disbursement.treasury.simulator import Bank, Mischief
from disbursement.treasury.simulator.answers import Answer
from disbursement.treasury.simulator.orders import Order
from disbursement.treasury.simulator.server import Server
from tests.factories.disbursement import START, at

from . import clock, fuse, scene
from .proxy import Network, Proxy
from .servers import Postgres, Redis, children, free_port, kill_group, until

_ROOT = Path(settings.BASE_DIR)
_DATABASE, _SCENE = "huida", "scene"
ROLES = ("web", "worker", "beat")
Said = TypeVar("Said")


class HonestBank(Bank):
    """Remembers what truly became of each payment, whatever its answers say and in whatever order they come."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self.truth: dict[str, str] = {}

    def _results(self, order: Order, on: date) -> tuple[list[Answer], list[Answer], list[Answer]]:
        first, late, last = super()._results(order, on)
        self.truth.update((answer.line_id, answer.result) for answer in [*first, *late, *last])
        return first, late, last


class QuietServer(Server):
    """That its clients are cut off is what is wanted here."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        return


class Lab:
    """Start it once, end it whatever happened; each `round` has a fresh copy of the scene."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="huida-month-"))
        self.clock = self.folder / "clock"
        self.postgres = Postgres()
        self.redis = Redis(self.folder)
        self.network = Network()
        self.port = free_port()
        self.pids: dict[str, int] = {}
        self._started: list[int] = []
        self.through: dict[str, Proxy] = {}
        self.is_proxied = False
        self._background: bool | None = None
        self._turn = threading.RLock()
        self._zygote: subprocess.Popen[str] | None = None
        self.scene = scene.Scene()

    def start(self, source: dict[str, str]) -> None:
        """Bring everything up; the scene is built on a copy of the migrated database `source`."""
        self.postgres.start()
        self.redis.start()
        clock.set_to(self.clock, at(START))
        self.postgres.load(_SCENE, source)
        self._spawn()
        self.point_at(_SCENE)
        self.scene = scene.build()
        connection.close()
        for name, port in (("database", self.postgres.port), ("broker", self.redis.port)):
            self.through[name] = self.network.before(port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def point_at(self, name: str) -> None:
        """Django, in this process, at a database of the lab."""
        connection.close()
        connection.settings_dict.update(HOST="127.0.0.1", PORT=str(self.postgres.port), USER="huida", NAME=name)

    @contextmanager
    def round(self, *, seed: int | str, mischief: Mischief, proxied: bool, background: bool) -> Iterator[HonestBank]:
        """A fresh district, with all its processes up; through the proxies where asked."""
        dice = random.Random(f"round:{seed}")
        # Whatever still ran would do its nightly work in the fresh district, and by the last round's date.
        self.stop()
        self._fresh_database()
        self.redis.forget()
        fuse.clear(self.folder)
        clock.set_to(self.clock, at(START, 9))
        self.is_proxied, self._background = proxied, background
        shutil.rmtree(self.folder / "bank", ignore_errors=True)
        answers = dice.choice(("csv", "csvgbk", "xlsx", "pain002", "camt053"))
        bank = HonestBank(self.folder / "bank", mischief=mischief, seed=dice.randrange(2**32), answers=answers)
        server = QuietServer(bank)
        with server.running():
            way = self.network.before(server.server_address[1])
            self.through["bank"] = way
            port = way.port if proxied else server.server_address[1]
            Gateway.objects.update(url=f"http://127.0.0.1:{port}")
            self.keep_up()
            yield bank
            for proxy in self.through.values():
                proxy.clear()

    def keep_up(self) -> None:
        """Start what does not run: what a supervisor does (systemd, Docker)."""
        with self._turn:
            if not self.postgres.answers():
                self.postgres.start()
            if not self.redis.answers():
                self.redis.start()
            for role in ROLES:
                if role not in self.pids or not self._ask({"alive": self.pids[role]})["alive"]:
                    self.pids[role] = self._start(role)

    def stop(self) -> None:
        """End every process of the product, orphans of a killed parent among them."""
        for role in list(self.pids):
            self.kill_all(role)
        for pid in self._started:
            kill_group(pid)
        self._started.clear()

    def kill_all(self, role: str) -> None:
        """kill -9 a role's whole container."""
        with self._turn:
            if (pid := self.pids.pop(role, 0)) != 0:
                kill_group(pid)
                until(lambda: not self._ask({"alive": pid})["alive"], seconds=10, what=f"the end of {role}")

    def kill_one(self, role: str, *, dice: random.Random) -> bool:
        """kill -9 one child of a role's first process; False where it has none."""
        found = children(self.pids.get(role, 0))
        try:
            os.kill(dice.choice(found), signal.SIGKILL)
        except (IndexError, ProcessLookupError):
            return False
        return True

    def kill_postgres(self, *, whole: bool) -> None:
        with self._turn:
            self.postgres.kill(whole=whole)

    def kill_redis(self) -> None:
        with self._turn:
            self.redis.kill()

    def kill_parent(self, role: str) -> None:
        """kill -9 a role's first process alone: its children are left to notice."""
        with self._turn:
            if (pid := self.pids.pop(role, 0)) != 0:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                until(lambda: not self._ask({"alive": pid})["alive"], seconds=10, what=f"the end of {role}")

    def asks(self, question: Callable[[], Any]) -> Any:
        """What the database says; None while it does not answer."""
        try:
            return question()
        except Error:
            with contextlib.suppress(Error):
                connection.close()
            return None

    def reads(self, question: Callable[[], Said]) -> Said:
        """What the database says, asked until it answers: what people do next depends on it."""
        end = time.monotonic() + 60
        while True:
            try:
                return question()
            except Error:
                with contextlib.suppress(Error):
                    connection.close()
                if time.monotonic() > end:
                    raise
                self.keep_up()
                time.sleep(0.03)

    def log(self, role: str) -> str:
        path = self.folder / f"{role}.log"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""

    def end(self) -> None:
        with contextlib.suppress(Error):
            connection.close()
        if self._zygote is not None:
            self.stop()
            for stream in (self._zygote.stdin, self._zygote.stdout):
                assert stream is not None
                stream.close()
            self._zygote.wait(20)
        self.network.end()
        self.redis.end()
        self.postgres.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fresh_database(self) -> None:
        connection.close()
        with self.postgres.connect() as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{_DATABASE}" WITH (FORCE)')
            admin.execute(f'CREATE DATABASE "{_DATABASE}" TEMPLATE "{_SCENE}"')
            # A copied sequence believes that its next numbers are in the log, where the template's are: after a crash
            # it would give them again. From a checkpoint on it writes its own.
            admin.execute("CHECKPOINT")
        self.point_at(_DATABASE)

    def _spawn(self) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("HUIDA_", "PYTEST_"))},
            "DJANGO_SETTINGS_MODULE": "tests.faults.month.settings",
            "SECRET_KEY": settings.SECRET_KEY,
            "ALLOWED_HOSTS": "127.0.0.1",
            "CSRF_TRUSTED_ORIGINS": "http://127.0.0.1",
            "DATABASE_URL": f"postgres://huida@127.0.0.1:{self.postgres.port}/{_DATABASE}",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{self.redis.port}/0",
            "CACHE_URL": f"rediscache://127.0.0.1:{self.redis.port}/1",
            "HUIDA_BASE_URL": "http://127.0.0.1",
            "HUIDA_PAYER_ACCOUNT": "5101000000000001",
            "EMAIL_URL": "dummymail://",
            "HUIDA_VAR_DIR": str(self.folder / "var"),
            clock.VARIABLE: str(self.clock),
            fuse.FOLDER: str(self.folder),
        }
        (self.folder / "var").mkdir()
        with (self.folder / "zygote.log").open("ab") as log:
            self._zygote = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.month.zygote"],
                cwd=_ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._zygote.stdout is not None
        assert self._zygote.stdout.readline(), self.log("zygote")

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._zygote is not None
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(request) + "\n")
        self._zygote.stdin.flush()
        answer: dict[str, Any] = json.loads(self._zygote.stdout.readline())
        return answer

    def _start(self, role: str) -> int:
        celery = ["celery", "-A", "portal"]
        schedule = str(self.folder / "schedule")
        argv = {
            # As the image's and compose's commands, with fewer processes.
            "web": ["gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{self.port}", "--workers", "2"],
            "worker": [*celery, "worker", "--concurrency", "2", "--without-mingle", "--loglevel", "WARNING"],
            "beat": [*celery, "beat", "--schedule", schedule],
        }[role]
        database = self.through["database"].port if self.is_proxied else self.postgres.port
        broker = self.through["broker"].port if self.is_proxied else self.redis.port
        pid: int = self._ask(
            {
                "start": role,
                "log": str(self.folder / f"{role}.log"),
                "argv": argv,
                "database_port": database,
                "broker": f"redis://127.0.0.1:{broker}/0",
                "background": bool(self._background),
            }
        )["pid"]
        self._started.append(pid)
        return pid


class Later:
    """A deed of another thread, some milliseconds from now; joined before the round goes on to its checks."""

    def __init__(self) -> None:
        self._timers: list[threading.Timer] = []

    def do(self, deed: Callable[[], object], *, after_ms: int) -> None:
        timer = threading.Timer(after_ms / 1000, deed)
        self._timers.append(timer)
        timer.start()

    def join(self) -> None:
        for timer in self._timers:
            timer.join(30)
        self._timers.clear()
