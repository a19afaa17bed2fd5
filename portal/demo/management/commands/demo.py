"""Build the demo district, tell its story, serve it: what `make demo`, `make story` and `make serve` call.

The demo lives in a folder of its own (var/demo): another database is touched only where `DATABASE_URL` names one,
`--yes-really` is given, and it is empty.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from matching.days import SHANGHAI
from portal.demo import accounts, build, story
from portal.demo.narrator import Narrator

_REFUSED = 2
# Set in the process that works on the demo's own folder.
_INSIDE = "HUIDA_DEMO_FOLDER"
_FINISHED = "told.txt"
_MARK = ".huida-demo"


class Command(BaseCommand):
    help = "建立演示区，讲述从政策到到账的全过程，并可启动网站"
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--serve", action="store_true", help="讲完后启动网站")
        parser.add_argument("--serve-only", action="store_true", help="不重建，直接启动上次的演示")
        parser.add_argument("--port", type=int, default=8000, help="网站端口，默认 8000")
        parser.add_argument("--as-of", type=_day, metavar="YYYY-MM-DD", help="把哪一天当作今天，默认为真实的今天")
        parser.add_argument(
            "--yes-really", action="store_true", help="在 DATABASE_URL 指定的空数据库里建立演示（默认拒绝）"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = os.environ.get(_INSIDE)
        if options["serve"] or options["serve_only"]:
            _check_port(options["port"])
        if folder is None:
            self._enter(options)
            return
        try:
            if options["serve_only"]:
                self._check_told(Path(folder))
            else:
                self._tell(Path(folder), options)
        except KeyboardInterrupt:
            self.stderr.write("\n已中断。再次运行会从头重建演示区。")
            raise SystemExit(130) from None
        if options["serve"] or options["serve_only"]:
            self._serve(Path(folder), options["port"])

    def _enter(self, options: dict[str, Any]) -> None:
        """Start again with settings that point into the demo's own folder."""
        folder = Path(settings.VAR_DIR) / "demo"
        foreign = "DATABASE_URL" in os.environ
        if foreign and not options["yes_really"]:
            raise CommandError(
                "环境变量 DATABASE_URL 指定了另一个数据库。演示默认只用自己的 var/demo/，不碰其他数据库：\n"
                "请先 unset DATABASE_URL 再运行；确要在那个（空的）数据库里建立演示，请加 --yes-really。",
                returncode=_REFUSED,
            )
        environment = {
            **os.environ,
            _INSIDE: str(folder),
            "HUIDA_VAR_DIR": str(folder),
            "HUIDA_BASE_URL": os.environ.get("HUIDA_BASE_URL", f"http://localhost:{options['port']}"),
            "EMAIL_URL": os.environ.get("EMAIL_URL", f"filemail:///{folder / 'mail'}"),
            # Under DEBUG Django keeps every statement in memory and shows its own error pages.
            "DEBUG": "0",
        }
        environment.pop("HUIDA_TREASURY_OUTBOX", None)
        self.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)

    def _tell(self, folder: Path, options: dict[str, Any]) -> None:
        started = time.monotonic()
        narrator = Narrator(sys.stdout, sys.stderr)
        lock = _lock(folder, alone=True)
        if "DATABASE_URL" in os.environ:
            # Looked at first: where it is refused, nothing is emptied.
            build.make_tables(narrator=narrator)
            if not build.is_empty():
                raise CommandError("这个数据库里已有数据，演示不会覆盖它。请给一个空数据库。", returncode=_REFUSED)
        _reset(folder)
        build.make_tables(narrator=narrator)
        today: date = options["as_of"] or datetime.now(SHANGHAI).date()
        try:
            story.tell(today=today, narrator=narrator, folder=folder)
        except story.StoryBroken as broken:
            raise CommandError(f"故事讲不下去了：{broken}", returncode=1) from broken
        _show_accounts(narrator, settings.HUIDA_BASE_URL)
        where = os.path.relpath(folder)
        narrator.note(
            f"全部数据在 {where}/（数据库、封存文件 treasury/、通知书 notices/、邮件 mail/）；make clean 可删除。"
        )
        narrator.note(f"同样的事可在命令行做，如：HUIDA_VAR_DIR={where} .venv/bin/python manage.py cycle status")
        narrator.note(f"建库和讲述共用 {time.monotonic() - started:.0f} 秒。")
        narrator.blank()
        (folder / _FINISHED).write_text(f"{today}\n", encoding="utf-8")
        os.close(lock)

    def _check_told(self, folder: Path) -> None:
        if not (folder / _FINISHED).exists():
            raise CommandError("还没有演示区。请先运行 make demo（或 make story）。", returncode=_REFUSED)
        _show_accounts(Narrator(sys.stdout, sys.stderr), settings.HUIDA_BASE_URL)

    def _serve(self, folder: Path, port: int) -> None:
        """Become Django's own web server, which ends with Ctrl-C.

        Without DEBUG an error shows the product's page; --insecure serves static files all the same.
        """
        signal.signal(signal.SIGINT, lambda *_: sys.exit(0))  # until the web server listens for it
        lock = _lock(folder, alone=False)
        os.set_inheritable(lock, True)
        self.stdout.write(f"\n  网站：http://localhost:{port}/    按 Ctrl-C 结束；make serve 可再次启动。\n")
        self.stdout.flush()
        arguments = [
            sys.executable,
            sys.argv[0],
            "runserver",
            "--noreload",
            "--insecure",
            "--skip-checks",
            f"127.0.0.1:{port}",
        ]
        os.execve(sys.executable, arguments, {**os.environ, "DEBUG": "0", "DJANGO_RUNSERVER_HIDE_WARNING": "true"})


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _check_port(port: int) -> None:
    """Raise CommandError now, not after the story, where something else listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"端口 {port} 不能用（{error}）。请换一个，例如：make demo PORT={port + 1}", returncode=_REFUSED
            ) from None


def _lock(folder: Path, *, alone: bool) -> int:
    """Hold the demo while it is built (alone) or served (with others). Raises CommandError where it cannot be had."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder.parent / "demo.lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        doing = "正在使用（网站开着，或正在重建）" if alone else "正在重建"
        raise CommandError(f"演示区{doing}。请在那个终端按 Ctrl-C 结束它，再运行一次。", returncode=_REFUSED) from None
    return descriptor


def _reset(folder: Path) -> None:
    """Empty the demo's own folder. One that the demo did not make is left alone, and refused."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise CommandError(
            f"{folder} 里有不是演示区产生的文件，为免误删不会清空它。请移走后重试。", returncode=_REFUSED
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).write_text("演示区的文件，每次重建都会清空。\n", encoding="utf-8")


def _show_accounts(narrator: Narrator, base: str) -> None:
    narrator.heading(f"可以用这些账户登录（密码都是 {accounts.PASSWORD}）")
    rows = [[ready.username, ready.full_name, ready.part, f"{base}{ready.desk}"] for ready in accounts.ready_accounts()]
    narrator.table(["账户", "姓名", "身份", "工作台"], rows)
    narrator.note(f"不登录也能看：政策、公示和“我的企业符合吗” {base}/")
