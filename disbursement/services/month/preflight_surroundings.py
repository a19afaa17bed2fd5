"""What a month's preflight looks at besides the payables: people to sign, ways to the bank, calendar, books, fonts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from disbursement.documents.fonts import missing_face
from disbursement.domain import money
from disbursement.domain.actors import Actor
from disbursement.domain.cycle import month_label
from disbursement.domain.errors import Invalid
from disbursement.domain.preflight import Issue, LineOutlook, Severity, can_sign
from disbursement.domain.workflow import BatchState, Role
from disbursement.ledger.reconcile import ledger_findings
from disbursement.ledger.standing import freeze_of, is_closed
from disbursement.models import (
    Absence,
    AccountState,
    Batch,
    GatewayKind,
    InterestDeclaration,
    LineStatus,
    Participation,
    PayeeAccount,
    PaymentAttempt,
    ReturnLine,
)
from disbursement.selectors.audits import last_whole_run
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.demands import open_demands
from disbursement.services.month.preparation import due_payables
from disbursement.services.payment.gateways import channel_for, gateway_for, reachable
from matching.registry.models import BudgetLine

_S = Severity
_SIGNERS = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER)


def issues_of_lines(*, lines: Sequence[LineOutlook], month: date, day: date, staff: Sequence[Actor]) -> Iterator[Issue]:
    """Of each line that would have a batch: who could sign it on `day`, its books, whether it may be posted to."""
    away = set(
        Absence.objects.filter(ended_at__isnull=True, starts_on__lte=day, ends_on__gte=day).values_list(
            "person_id", flat=True
        )
    )
    there = [actor for actor in staff if actor.user_id not in away]
    known = {line.pk: line for line in BudgetLine.objects.filter(pk__in=[found.line for found in lines])}
    for outlook in lines:
        line = known[outlook.line]
        place, target = str(line), ("budget_line", line.pk)
        if outlook.count:
            yield from _signers(outlook, line, month=month, staff=there, away=len(staff) - len(there))
        if is_closed(line=line):
            yield Issue(
                f"closed.{line.pk}",
                _S.STOPS,
                place,
                "该科目年度已关账，不能再支付",
                "请把款项结转到新年度科目，或联系预算部门。",
                target,
            )
        elif (frozen := freeze_of(line=line)) is not None:
            yield Issue(
                f"frozen.{line.pk}",
                _S.NOTE,
                place,
                f"该科目已冻结（{frozen.paper_number}），新的款项不能预留",
                "已预留的照常支付；要预留新的款项，请先解冻。",
                target,
            )
        for problem in ledger_findings(line=line):
            yield Issue(
                f"books.{line.pk}",
                _S.STOPS,
                place,
                f"账实不符：{problem}",
                "请停止在该科目上支付，逐笔核对预算流水，查明前不要截止。",
                target,
            )


def _signers(
    outlook: LineOutlook, line: BudgetLine, *, month: date, staff: Sequence[Actor], away: int
) -> Iterator[Issue]:
    barred = _barred(line, month=month, staff=staff)
    found = {
        role: {
            actor.user_id or 0
            for actor in staff
            if actor.holds(role, department_id=line.department_id) and actor.user_id not in barred
        }
        for role in _SIGNERS
    }
    missing = can_sign(
        makers=found[Role.FINANCE_MAKER],
        checkers=found[Role.FINANCE_CHECKER],
        approvers=found[Role.FINANCE_APPROVER],
        needed=outlook.approvals_needed,
    )
    if missing is None:
        return
    why = [f"{len(barred)}人须回避"] if barred else []
    why += [f"{away}人离岗"] if away else []
    reason = f"（{'，'.join(why)}）" if why else ""
    yield Issue(
        f"signers.{line.pk}",
        _S.STOPS,
        str(line),
        f"{missing}{reason}",
        "请系统管理员授予职责，或请离岗人员返岗；须回避的由其他人员签署。",
        ("people", None),
    )


def _barred(line: BudgetLine, *, month: date, staff: Sequence[Actor]) -> set[int]:
    """Who of the staff may not sign for what is due on the line: took part in its applications, has an interest in its
    enterprises, or acts for one.
    """
    due = due_payables(month=month).filter(budget_line=line)
    ids = [actor.user_id for actor in staff if actor.user_id is not None]
    took_part = Participation.objects.filter(user_id__in=ids, application__payables__in=due)
    interested = InterestDeclaration.objects.filter(
        user_id__in=ids, ended_at__isnull=True, enterprise__payables__in=due
    )
    found = {*took_part.values_list("user_id", flat=True), *interested.values_list("user_id", flat=True)}
    insiders = {pk for actor in staff for pk in actor.enterprise_ids}
    if insiders:
        theirs = due.filter(enterprise__in=insiders).values_list("enterprise_id", flat=True).distinct()
        found |= {
            actor.user_id
            for pk in theirs
            for actor in staff
            if pk in actor.enterprise_ids and actor.user_id is not None
        }
    return found


def issues_of_surroundings(*, month: date, today: date, lines: Sequence[LineOutlook], probe: bool) -> Iterator[Issue]:
    """What concerns the month as a whole."""
    yield from _gateways(lines, probe=probe)
    for text in working_calendar().warnings(today):
        yield Issue(
            "calendar", _S.NOTE, "工作日历", text.rstrip("。"), "录入后截止日和时限会重新推算。", ("calendar", None)
        )
    yield from _left_over(month=month)
    yield from _demands(month=month)
    waiting = PayeeAccount.objects.filter(state=AccountState.PROPOSED).count()
    if waiting:
        yield Issue(
            "accounts",
            _S.NOTE,
            "收款账户",
            f"{waiting}个新登记的账户待核对",
            "请财务复核人员在截止前核对，核对后本月即可支付。",
            ("accounts", None),
        )
    if problem := missing_face():
        yield Issue(
            "fonts",
            _S.NOTE,
            "文书字体",
            problem,
            "请运维人员安装 fonts-noto-cjk，否则通知书和批次汇总表会缺字或很慢。",
        )
    last = last_whole_run()
    if last is not None and last.finding_count:
        yield Issue(
            "audit",
            _S.NOTE,
            "审计",
            f"最近一次全面核对（{last.finished_at:%Y-%m-%d}）有{last.finding_count}处不符",
            "请督查人员查明；涉及本月款项的，查明前先暂缓。",
            ("audit", None),
        )


def _gateways(lines: Iterable[LineOutlook], *, probe: bool) -> Iterator[Issue]:
    told: set[int | None] = set()
    known = {line.pk: line for line in BudgetLine.objects.filter(pk__in=[found.line for found in lines])}
    for outlook in lines:
        gateway = gateway_for(line=known[outlook.line])
        outlook.gateway = "默认文件夹" if gateway is None else gateway.name
        key = None if gateway is None else gateway.pk
        if key in told:
            continue
        told.add(key)
        target = ("gateways", None)
        try:
            problem = reachable(channel=channel_for(gateway=gateway), ask=probe)
        except Invalid as refusal:
            problem = str(refusal)
        place = f"支付通道“{outlook.gateway}”"
        if problem:
            yield Issue(
                f"gateway.{key or 0}",
                _S.STOPS,
                place,
                problem.rstrip("。"),
                "请运维人员检查地址、凭据、挂载和网络；恢复前可以签署，封存后的文件会在恢复后发送。",
                target,
            )
        elif gateway is not None and gateway.problem:
            yield Issue(
                f"gateway.{key}",
                _S.NOTE,
                place,
                f"最近一次收取回单未成功：{gateway.problem}".rstrip("。"),
                "请查看通道页面，恢复后会自动继续收取。",
                target,
            )
        elif gateway is not None and gateway.kind == GatewayKind.BY_HAND:
            yield Issue(
                f"gateway.{key}", _S.NOTE, place, "封存后须由人员把文件送到银行", "请安排送件人员和时间。", target
            )


def _demands(*, month: date) -> Iterator[Issue]:
    """Money asked back from enterprises that would be paid: it may be set off."""
    due = due_payables(month=month)
    owing = open_demands(enterprise_ids=due.values("enterprise_id")).order_by("pk")
    numbers = list(owing.values_list("number", flat=True)[:20])
    if numbers:
        yield Issue(
            "demands",
            _S.NOTE,
            "追回款",
            f"本月应付款项的企业有追回款尚未退回：{'、'.join(numbers)}",
            "逾期未退的，款项会自动暂缓；未到期的，可以在追回页面抵扣后再截止。",
            ("clawbacks", None),
        )


def _left_over(*, month: date) -> Iterator[Issue]:
    """What earlier months have not brought to an end."""
    open_lines = ReturnLine.objects.filter(status=LineStatus.EXCEPTION, resolved_at__isnull=True)
    if number := open_lines.count():
        yield Issue(
            "exceptions",
            _S.NOTE,
            "回单例外",
            f"{number}条回单例外尚未处理",
            "请逐条查明并登记处理结果，避免同一笔款项重复支付。",
            ("exceptions", None),
        )
    torn = PaymentAttempt.objects.filter(contradicted=True).count()
    if torn:
        yield Issue(
            "contradicted",
            _S.NOTE,
            "银行结果",
            f"{torn}笔银行结果前后矛盾",
            "核实前这些款项不会再支付；请向银行核实后登记。",
            ("exceptions", None),
        )
    unfinished = (
        Batch.objects.filter(cycle__month__lt=month)
        .exclude(state__in=[BatchState.CLOSED, BatchState.DISSOLVED])
        .select_related("cycle")
        .order_by("number")
    )
    for batch in unfinished[:20]:
        yield Issue(
            f"batch.{batch.pk}",
            _S.NOTE,
            f"批次{batch.number}（{month_label(batch.cycle.month)}）",
            f"上期批次现为“{batch.get_state_display()}”，{batch.count}笔、{money.yuan(batch.total)}元尚未办结",
            "请完成签署、导入回单或处理例外。",
            ("batch", batch.pk),
        )
    begun = Batch.objects.filter(cycle__month=month, state__in=[BatchState.ASSEMBLING, BatchState.FROZEN]).count()
    if begun:
        yield Issue(
            "interrupted",
            _S.STOPS,
            month_label(month),
            f"截止曾被中断，{begun}个批次没有完成",
            "请再次执行截止，会从中断处继续。",
            ("cycles", None),
        )
