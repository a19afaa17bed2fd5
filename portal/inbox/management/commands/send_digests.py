"""``manage.py send_digests``: the daily mails, as beat sends them each morning."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from matching.days import day_of
from portal.inbox import digest


class Command(BaseCommand):
    help = "生成并发送今天的消息摘要邮件；每人每天至多一封，重复运行不会重发"

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            done = digest.send_digests(day=day_of(now), now=now)
        except OSError as error:  # smtplib's errors are OSErrors
            self.stderr.write(f"连不上邮件服务器，没有发送任何邮件，稍后重试即可：{error}")
            raise SystemExit(1) from None
        self.stdout.write(f"新生成 {done.prepared} 封，已发送 {done.sent} 封，失败 {done.failed} 封")
