"""``manage.py run_outbox``: a worker for the outbox where no Celery runs, or for one pass by hand (--once)."""

import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone

from matching.registry import outbox
from matching.registry.models import OutboxMessage

_BATCH = 1000


class Command(BaseCommand):
    help = "投递发件箱中到期的消息：--once 投完即止，否则每隔几秒看一次，直到收到 SIGTERM 或 Ctrl-C"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="投递所有到期的消息后结束；有失败的消息时退出码为 1")
        parser.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="两次查看之间的秒数（默认 2）")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"已投递 {self._drain()} 条消息")
            failing = OutboxMessage.objects.filter(delivered_at__isnull=True, attempts__gt=0).order_by("id")
            for message in failing[:20]:
                reason = message.last_error.strip().splitlines()[-1:]
                self.stderr.write(
                    f"#{message.pk} {message.topic}：已试 {message.attempts} 次，"
                    f"{timezone.localtime(message.due_at):%Y-%m-%d %H:%M:%S} 再试；{''.join(reason)}"
                )
            if failing.exists():
                raise SystemExit(1)
            return
        stop = threading.Event()

        def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
            stop.set()  # the message in hand is finished first

        signal.signal(signal.SIGTERM, ask_to_stop)
        signal.signal(signal.SIGINT, ask_to_stop)
        self.stdout.write("发件箱工作进程已启动")
        while not stop.is_set():
            close_old_connections()
            self._drain(stop)
            stop.wait(options["every"])
        self.stdout.write("发件箱工作进程已停止")

    @staticmethod
    def _drain(stop: threading.Event | None = None) -> int:
        total = 0
        batch = 50 if stop else _BATCH  # a signal is heard between two batches
        while not (stop and stop.is_set()):
            done = outbox.deliver(now=timezone.now(), limit=batch)
            total += done
            if done < batch:
                break
        return total
