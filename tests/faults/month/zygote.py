"""A process that has loaded the product once, and becomes gunicorn, a Celery worker or beat by forking.

What is started is what production starts (`Dockerfile`, `compose.yaml`), each in a session of its own, without the four
seconds of loading: so hundreds may be killed. Reads one JSON object a line, answers one a line.

    {"start": "web" | "worker" | "beat", "log": FILE, "argv": [...], "database_port": N, "broker": URL}  → {"pid": N}
    {"alive": PID}                                                                                    → {"alive": bool}
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import django

from tests.faults.month import fuse

_WEB = ("gunicorn.app.wsgiapp", "gunicorn.workers.sync", "portal.wsgi")
_CELERY = ("celery.__main__", "celery.apps.worker", "celery.apps.beat", "celery.concurrency.prefork")
_ended: set[int] = set()


def main() -> None:
    django.setup()
    load()
    signal.signal(signal.SIGCHLD, lambda *_: reap())
    say({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            say({"pid": start(request)})
        else:
            reap()
            say({"alive": request["alive"] not in _ended})


def load() -> None:
    """Everything that the three would load by themselves."""
    from django.conf import settings
    from django.db import connections
    from django.db.backends.signals import connection_created
    from django.urls import get_resolver

    from portal.celery import app

    for name in ("gunicorn.app.wsgiapp", "gunicorn.workers.sync", "celery.__main__", "celery.apps.worker"):
        import_module(name)
    for name in (
        "celery.apps.beat",
        "celery.concurrency.prefork",
        "kombu.transport.redis",
        "portal.wsgi",
        "weasyprint",
    ):
        import_module(name)
    app.loader.import_default_modules()
    assert get_resolver(settings.ROOT_URLCONF).url_patterns
    connection_created.connect(fuse.attach, weak=False)
    connections.close_all()


def start(request: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for number in (1, 2):
            os.dup2(log, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        become(request)
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def become(request: dict[str, Any]) -> None:
    from django.conf import settings
    from django.db import connection

    from portal.celery import app

    os.environ[fuse.ROLE] = request["start"]
    connection.settings_dict["PORT"] = str(request["database_port"])
    settings.CELERY_BROKER_URL = app.conf.broker_url = request["broker"]
    os.environ["CELERY_BROKER_URL"] = request["broker"]
    sys.argv = list(request["argv"])
    if request["start"] == "web":
        if request.get("background"):
            from disbursement.services import runs

            # Every month's work goes to a worker, however small.
            runs.AT_ONCE = 0
        import_module("gunicorn.app.wsgiapp").run()
    else:
        import_module("celery.__main__").main()


def reap() -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _ended.add(pid)


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
