"""The month's run from the command line: open, cut off, seal and send, read returns, show how things stand.

    manage.py cycle open|cutoff|seal|status [--month 2026-12] [--as-of 2026-12-18[T16:30]]
    manage.py cycle preflight [--month 2026-12] [--as-of …] [--probe] [--keep] [--pdf FILE]
    manage.py cycle returns FILE [FILE …] [--as-of …]

Exit code 0 when done, 2 when refused, with the reason. Every subcommand may be run again.
"""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from disbursement.domain import money
from disbursement.domain.cycle import month_label, month_of
from disbursement.domain.errors import REFUSALS
from disbursement.management.bar import Bar
from disbursement.models import Batch, Payable
from disbursement.selectors.staff import finance_staff
from disbursement.services.month import cycles, preflight
from disbursement.services.payment import returns
from matching.days import SHANGHAI, day_of

_REFUSED = 2
_NOON = time(12)
_STEPS, _LINES = "步", "笔"


class Command(BaseCommand):
    help = "按月兑现：开启周期、截止、封存发送、读取回单、查看情况"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="open|preflight|cutoff|seal|returns|status"
        )
        for name, text in (
            ("open", "开启一个月的兑现周期"),
            ("cutoff", "截止：归集、冻结、校验各预算科目的批次"),
            ("seal", "封存并发送已全部签署的批次"),
            ("status", "查看一个月的情况"),
        ):
            action = actions.add_parser(name, help=text)
            action.add_argument("--month", metavar="YYYY-MM", help="月份，默认为 --as-of 所在月份")
            _add_as_of(action)
        action = actions.add_parser("preflight", help="预检：截止将怎样归集、哪些不会支付")
        action.add_argument("--month", metavar="YYYY-MM", help="月份，默认为 --as-of 所在月份")
        action.add_argument("--probe", action="store_true", help="向各支付通道查询是否可达")
        action.add_argument("--keep", action="store_true", help="留存这次预检，供截止后对照")
        action.add_argument("--pdf", type=Path, metavar="FILE", help="另存为 PDF")
        _add_as_of(action)
        action = actions.add_parser("returns", help="读取银行回单（CSV、XLSX、pain.002、camt.053）")
        action.add_argument("files", nargs="+", type=Path, metavar="FILE", help="回单文件")
        _add_as_of(action)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            now = _as_of(options["as_of"])
            if options["action"] == "returns":
                for path in options["files"]:
                    self._returns(path=path, now=now)
                return
            if options["action"] == "preflight":
                self._preflight(now=now, **options)
                return
            month = _month(options["month"]) if options["month"] else month_of(day_of(now))
            getattr(self, f"_{options['action']}")(month=month, now=now)
        except REFUSALS as error:
            raise CommandError(str(error), returncode=_REFUSED) from error

    def _open(self, *, month: date, now: datetime) -> None:
        cycle, is_new = cycles.open_cycle(month=month, now=now)
        self.stdout.write(f"{cycle}兑现周期{'已开启' if is_new else '此前已开启'}，截止日{cycle.cut_off_on}。")

    def _preflight(self, *, now: datetime, **options: Any) -> None:
        month = _month(options["month"]) if options["month"] else month_of(day_of(now))
        found = preflight.look(month=month, now=now, staff=finance_staff, probe=options["probe"])
        self.stdout.write(
            f"{month_label(month)}预检：截止日{found.cut_off_on}，预计支付{found.count}笔、{money.yuan(found.total)}元，"
            f"不会支付{found.unpaid_count}笔、{money.yuan(found.unpaid_total)}元。"
        )
        for line in found.lines:
            self.stdout.write(
                f"  {line.label}：{line.count}笔，{money.yuan(line.total)}元，校验暂缓{line.held_count}笔，"
                f"须{line.approvals_needed}人审批，通道“{line.gateway}”"
            )
        for severity, issues in found.by_severity:
            self.stdout.write(f"【{severity.label}】")
            for issue in issues:
                sums = f"（{issue.count}笔、{money.yuan(issue.total)}元）" if issue.count else ""
                self.stdout.write(f"  {issue.place}：{issue.problem}{sums}。{issue.remedy}")
                for row in issue.listed[:20]:
                    said = f"，{row.detail}" if row.detail else ""
                    self.stdout.write(f"    {row.enterprise} {row.application} {money.yuan(row.amount)}元{said}")
        if options["keep"]:
            cycle, _is_new = cycles.open_cycle(month=month, now=now)
            kept = preflight.keep(cycle=cycle, outlook=found, now=now)
            self.stdout.write(f"已留存第{kept.pk}号预检。")
        if options["pdf"] is not None:
            options["pdf"].write_bytes(preflight.printed(outlook=found, made_at=now, now=now))
            self.stdout.write(f"已存为{options['pdf']}。")

    def _cutoff(self, *, month: date, now: datetime) -> None:
        with Bar(_STEPS) as bar:
            done = cycles.cut_off(month=month, now=now, on_step=bar.say, on_progress=bar.show)
        self.stdout.write(f"{done.cycle}{'此前已截止' if done.was_done else '已截止'}，批次{len(done.batches)}个。")
        for batch in done.batches:
            self._batch(batch)
        for payable in done.held:
            self._held(payable)

    def _seal(self, *, month: date, now: datetime) -> None:
        with Bar(_LINES) as bar:
            done = cycles.seal_signed(month=month, now=now, on_step=bar.say, on_progress=bar.show)
        for sealed in done.sent:
            self.stdout.write(
                f"已封存并发送 {sealed.name}：{sealed.count}笔，{money.yuan(sealed.total)}元，SHA-256 {sealed.sha256}"
            )
        for batch in done.waiting:
            self.stdout.write(f"批次{batch.number}尚未签署完毕，现为“{batch.get_state_display()}”。")
        if not done.sent and not done.waiting:
            self.stdout.write("没有待封存的批次。")

    def _returns(self, *, path: Path, now: datetime) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"无法读取{path}：{error.strerror}。请检查路径和权限。", returncode=_REFUSED) from error
        with Bar(_LINES, text=path.name) as bar:
            report = returns.import_return(name=path.name, content=content, now=now, on_progress=bar.show)
        again = "（此前已读过）" if report.was_known else ""
        self.stdout.write(
            f"{path.name}{again}：入账{report.posted}笔，重复{report.duplicates}笔，例外{report.exceptions}笔。"
        )
        for problem in report.file.problems:
            self.stdout.write(f"  {problem}")
        for line in report.file.lines.filter(status="exception").order_by("row_no")[:20]:
            self.stdout.write(f"  第{line.row_no}行 {line.line_id}：{line.problem}")
        for batch in report.batches:
            self._batch(batch)

    def _status(self, *, month: date, now: datetime) -> None:
        standing = cycles.status(month=month, now=now)
        cycle = standing.cycle
        if cycle is None:
            self.stdout.write(f"{month_label(month)}：尚未开启。")
        else:
            self.stdout.write(f"{cycle}：{cycle.get_state_display()}，截止日{cycle.cut_off_on}。")
        for batch in standing.batches:
            self._batch(batch)
        for label, (count, total) in standing.due.items():
            self.stdout.write(f"  {label}：{count}笔，{money.yuan(total)}元")
        for payable in standing.held:
            self._held(payable)
        if standing.exceptions:
            self.stdout.write(f"  待处理的回单例外：{standing.exceptions}笔")
        for line in standing.lines:
            text = "，".join(f"{name}{money.yuan(balance)}" for name, balance in line.balances.items())
            self.stdout.write(f"  {line.line}：{text}")
            for finding in line.findings:
                self.stdout.write(self.style.ERROR(f"    账实不符：{finding}"))
        for warning in standing.warnings:
            self.stdout.write(self.style.WARNING(f"  {warning}"))

    def _batch(self, batch: Batch) -> None:
        last = batch.reconciliations.order_by("-id").first()
        self.stdout.write(
            f"  批次{batch.number} {batch.budget_line}：{batch.count}笔，{money.yuan(batch.total)}元，"
            f"{batch.get_state_display()}"
            + ("" if last is None else f"，四项数据{'一致' if last.agrees else '不一致'}")
        )
        for difference in [] if last is None else last.differences[:5]:
            self.stdout.write(f"    {difference}")

    def _held(self, payable: Payable) -> None:
        self.stdout.write(
            f"  暂缓：{payable.enterprise} {payable.application} 第{payable.number}期"
            f" {money.yuan(payable.amount)}元，{payable.hold_reason}"
        )


def _add_as_of(parser: CommandParser) -> None:
    parser.add_argument("--as-of", metavar="YYYY-MM-DD[THH:MM]", help="按此时间办理（北京时间），默认为现在")


def _as_of(text: str | None) -> datetime:
    if text is None:
        return timezone.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"--as-of “{text}”不是时间，应如 2026-12-18 或 2026-12-18T16:30。", returncode=_REFUSED
        ) from error
    if len(text) == len("2026-12-18"):
        moment = datetime.combine(moment.date(), _NOON)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=SHANGHAI)


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise CommandError(f"--month “{text}”不是月份，应如 2026-12。", returncode=_REFUSED) from error
