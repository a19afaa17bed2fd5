"""`manage.py audit`: prove that nothing was tampered with. Exit code 1: something was found; 2: it cannot run."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from disbursement import guards
from disbursement.audit import anchors, service
from disbursement.audit.findings import Scope
from disbursement.domain.errors import REFUSALS
from disbursement.models import AuditRun
from matching.days import SHANGHAI

_SHOWN = 200


class Command(BaseCommand):
    help = "核对全部申报、应付款项、批次、流水、文书和存证，逐项列出不符之处。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="以 JSON 输出")
        parser.add_argument("--since", help="只核对这一天（YYYY-MM-DD）以来写入和办理的")
        parser.add_argument("--application", metavar="编号", help="只核对一件申报及其款项")
        parser.add_argument("--anchor", action="store_true", help="核对后将至今的存证锚定，并打印锚点供督查部门留存")
        parser.add_argument("--repair-guards", action="store_true", help="先重新安装防护触发器")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            scope = _scope(options)
        except REFUSALS as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        if options["repair_guards"]:
            with transaction.atomic():
                # Not entered: on SQLite an editor wants foreign keys off, and triggers change no table.
                guards.install(None, connection.schema_editor())
        run = service.run(scope=scope, now=now, finished=timezone.now, on_step=None if options["json"] else self._step)
        made = anchors.anchor(now=now) if options["anchor"] else None
        if options["json"]:
            self.stdout.write(json.dumps(_told(run, made), ensure_ascii=False, indent=2))
        else:
            self._tell(run)
            if made is not None:
                self.stdout.write(f"锚点第{made.number}号（{made.links}条存证）：{made.digest}")
                self.stdout.write("请打印本行，由督查部门签收留存。")
            elif options["anchor"]:
                self.stdout.write("自上次锚定以来没有新的存证，无需锚定。")
        if run.finding_count:
            sys.exit(1)

    def _step(self, name: str, done: int) -> None:
        if not self.stderr.isatty():
            return
        place = list(service.CHECKS.values()).index(name)
        bar = "█" * place + "░" * (len(service.CHECKS) - place)
        self.stderr.write(
            f"\r{bar} 已核对{done}项，正在核对：{name}\033[K", ending="\n" if place == len(bar) - 1 else ""
        )

    def _tell(self, run: AuditRun) -> None:
        looked = "，".join(f"{service.TOLD.get(name, name)}{number}" for name, number in run.checked.items())
        self.stdout.write(f"已核对：{looked}。")
        for finding in run.findings[:_SHOWN]:
            self.stdout.write(f"✗ 【{finding['place']}】{finding['problem']}\n   处理办法：{finding['remedy']}")
        if run.finding_count > _SHOWN:
            self.stdout.write(f"……共{run.finding_count}处，其余见督查页面或 --json。")
        self.stdout.write("未发现不符。" if not run.finding_count else f"发现{run.finding_count}处不符。")


def _scope(options: dict[str, Any]) -> Scope:
    if options["application"]:
        return service.scope_of_application(number=str(options["application"]))
    if options["since"]:
        try:
            day = datetime.fromisoformat(options["since"])
        except ValueError as error:
            raise CommandError("--since 应为日期，如 2026-11-01。", returncode=2) from error
        return service.scope_since(moment=day.replace(tzinfo=SHANGHAI))
    return Scope()


def _told(run: AuditRun, made: Any) -> dict[str, Any]:
    return {
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "scope": run.scope,
        "checked": run.checked,
        "finding_count": run.finding_count,
        "findings": run.findings,
        "anchor": None if made is None else {"number": made.number, "digest": made.digest, "links": made.links},
    }
