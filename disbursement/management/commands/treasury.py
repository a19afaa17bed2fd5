"""The ways to banks from the command line.

    manage.py treasury status          gateways, and sendings that are not finished
    manage.py treasury collect         fetch returns from every gateway and post them
    manage.py treasury round           the same, after bringing sendings that were begun to an end

Exit code 0 when done, 2 where a gateway could not be reached or a file not be read. May be run again.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from disbursement.domain.workflow import BatchState
from disbursement.management.bar import Bar
from disbursement.models import Delivery, DeliveryState, Gateway
from disbursement.services.payment import collection

_REFUSED = 2


class Command(BaseCommand):
    help = "付款文件的发送通道：查看、取回单、了结未完成的发送"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["status", "collect", "round"])

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action']}")()

    def _status(self) -> None:
        for gateway in Gateway.objects.order_by("name"):
            said = f"，最近问题：{gateway.problem}" if gateway.problem else ""
            active = "" if gateway.is_active else "（停用）"
            self.stdout.write(f"{gateway.name}{active}：{gateway.get_kind_display()}{said}")
        sealed = Delivery.objects.filter(sealed_file__batch__state=BatchState.SEALED)
        waiting = sealed.exclude(state=DeliveryState.DONE).select_related("sealed_file__batch")
        for delivery in waiting.defer("sealed_file__content").order_by("pk"):
            self.stdout.write(
                f"  批次{delivery.sealed_file.batch.number}：{delivery.get_state_display()}，"
                f"已尝试{delivery.tries}次 {delivery.problem}"
            )

    def _collect(self) -> None:
        with Bar("行") as bar:
            done = collection.collect_all(now=timezone.now(), on_step=bar.say, on_progress=bar.show)
        for found in done:
            posted = sum(report.posted for report in found.reports)
            self.stdout.write(f"{found.gateway.name}：{len(found.reports)}个文件，入账{posted}笔。")
        problems = [f"{found.gateway.name}：{problem}" for found in done for problem in found.problems]
        if problems:
            raise CommandError("\n".join(problems), returncode=_REFUSED)

    def _round(self) -> None:
        done = collection.treasury_round(now=timezone.now(), clock=timezone.now)
        self.stdout.write(f"了结发送{done['sent']}个，未果{done['failed']}个；回单{done['files']}个。")
        if done["failed"] or done["problems"]:
            raise CommandError("有通道未能办结，见 manage.py treasury status。", returncode=_REFUSED)
