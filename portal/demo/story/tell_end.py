"""Chapters 10 and 12 to 15: notices, ratings, the books, the year's budget, and what is left on the desks."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from django.db.models import Sum

from disbursement.domain import clocks
from disbursement.domain.clocks import Colour
from disbursement.domain.cycle import month_label
from disbursement.domain.money import from_sum
from disbursement.domain.workflow import ApplicationState, BatchState, PayableState
from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import (
    AccountKind,
    AccountState,
    Application,
    Batch,
    BudgetChange,
    ClockCard,
    Cycle,
    Document,
    DocumentKind,
    LedgerTransfer,
    LineStatus,
    MaterialFlag,
    Objection,
    Payable,
    PayeeAccount,
    Rating,
    Rectification,
    ReturnLine,
    SealedFile,
    StepClock,
)
from disbursement.selectors.forecast import forecasts
from disbursement.services import notices
from matching.days import day_of
from matching.registry.models import BudgetLine
from portal.demo.enterprises import PROTAGONIST
from portal.demo.narrator import Narrator, money
from portal.demo.story.figures import Figures
from portal.demo.story.plot import MAIN
from portal.demo.story.stage import Stage, enterprise
from portal.demo.story.timeline import at
from portal.inbox.models import Notification


def letters(stage: Stage, say: Narrator, *, folder: Path) -> None:
    """The notices issued so far, written out as files."""
    told = Document.objects.filter(issued_at__lte=_end_of_first(stage)).order_by("issued_at", "pk")
    last = told.last()
    assert last is not None
    say.chapter("通知书：有编号、有二维码、任何人可核验", day=day_of(last.issued_at))
    folder.mkdir(parents=True, exist_ok=True)
    for document in told:
        (folder / f"{document.number}.pdf").write_bytes(bytes(document.content))
    kinds = [(kind, told.filter(kind=kind).count()) for kind in DocumentKind]
    say.say(
        f"至此签发 {told.count()} 份，PDF 已写到 {_short(folder)}："
        + "、".join(f"{kind.label} {count} 份" for kind, count in kinds if count)
        + "。",
        who="系统",
    )
    application = Application.objects.get(pk=stage.applications[PROTAGONIST, MAIN])
    say.heading(f"申报 {application.number} 的文书")
    rows = []
    for document in told.filter(application=application):
        path = folder / f"{document.number}.pdf"
        on_disk = path.read_bytes()
        found = notices.verify(number=document.number)
        same = found is not None and found.sha256 == hashlib.sha256(on_disk).hexdigest()
        rows.append(
            [document.number, document.get_kind_display(), day_of(document.issued_at).isoformat(),
             f"{document.size // 1024} KB", document.sha256[:12] + "…", "相符" if same else "不符"]
        )  # fmt: skip
    say.table(["编号", "文书", "签发", "大小", "SHA-256", "核验"], rows, right=(3,))
    paid = told.filter(application=application, kind=DocumentKind.PAYMENT).first()
    if paid is not None:
        say.note(
            f"扫码或打开 {notices.verify_url(number=paid.number)} 核对编号、摘要和日期；文书只渲染一次，永不重做。"
        )


def opinions(stage: Stage, say: Narrator) -> None:
    ratings = Rating.objects.select_related("application__enterprise", "application__item", "rated_by").order_by(
        "rated_at"
    )
    first, last = ratings.first(), ratings.last()
    assert first is not None
    assert last is not None
    say.chapter("好差评：钱到账后评价，差评必须答复", day=day_of(first.rated_at), until=day_of(last.rated_at))
    for rating in ratings:
        say.say(
            f"{rating.application.enterprise.name}：{'★' * rating.level}{'☆' * (5 - rating.level)} "
            f"{rating.get_level_display()}。" + (f"“{rating.comment}”" if rating.comment else ""),
            at=rating.rated_at,
            who=str(rating.rated_by),
        )
        found = Rectification.objects.filter(rating=rating).select_related("department", "answered_by").first()
        if found is None:
            continue
        say.detail(f"自动发起整改：{found.department.name}，{found.due_on} 前答复。")
        if found.answered_at is not None:
            say.say(f"答复：{found.reply}", at=found.answered_at, who=str(found.answered_by))
        else:
            say.detail("尚未答复，在审核人员的桌上。")


def books(stage: Stage, say: Narrator) -> None:
    say.chapter("账对得上", day=stage.time.end)
    figures = Figures.read()
    sealed = SealedFile.objects.count()
    say.say(f"已封存发送的 {sealed} 个批次，四个数从四处分别读出：", who="系统")
    rows = [
        ["Σ 核定（应付款项）", str(figures.approved_count), money(figures.approved)],
        ["Σ 批次（支付明细）", str(figures.batch_count), money(figures.batch)],
        ["Σ 文件（重读封存字节）", str(figures.file_count), money(figures.file)],
        ["Σ 银行（回单入账）", str(figures.bank_count), money(figures.bank)],
    ]
    say.table(["数", "笔", "金额"], rows, right=(1, 2))
    (say.good if figures.agree else say.bad)("四数一致。" if figures.agree else "四数不一致，请查对账记录。")
    say.say(
        f"银行的 {figures.bank_count} 笔里，到账 {money(figures.paid)}，退票 {money(figures.bounced)}（退回预留）。"
    )
    say.heading("预算账（复式，只增不改）")
    lines = (
        BudgetLine.objects.filter(ledger_accounts__debits__payable__isnull=False).distinct().order_by("year", "code")
    )
    body = []
    sums = dict.fromkeys(AccountKind, Decimal("0.00"))
    for line in lines:
        held = balances(line=line)
        for kind, amount in held.items():
            sums[kind] += amount
        body.append(
            [f"{line.year} {line.name}", *_balance_cells(held), "平" if not ledger_findings(line=line) else "不平"]
        )
    body.append(["合计", *_balance_cells(sums), ""])
    say.table(["预算科目（元）", "预算", "已预留", "待付", "已支付", "剩余可用", "账"], body, right=(1, 2, 3, 4, 5))
    transfers = LedgerTransfer.objects.count()
    total = sum(sums.values(), Decimal("0.00"))
    say.say(
        f"{transfers} 笔流水，各账户余额之和为 {total} 元；账上“已支付” {money(sums[AccountKind.PAID])}，"
        f"银行到账 {money(figures.paid)}。",
        who="系统",
    )
    states = Payable.objects.exclude(state__in=[PayableState.CANCELLED, PayableState.AWAITING])
    reserved = from_sum(
        states.exclude(state__in=[PayableState.SETTLED, PayableState.PAID]).aggregate(sum=Sum("amount"))["sum"]
    )
    same = reserved == sums[AccountKind.RESERVED] and figures.paid == sums[AccountKind.PAID]
    (say.good if same and not total else say.bad)(
        f"未付应付款项合计 {money(reserved)}，等于账上“已预留”。" if same else "账与应付款项不一致。"
    )


def year(stage: Stage, say: Narrator) -> None:
    """What the budget was changed by, and what the year will come to."""
    changes = list(BudgetChange.objects.select_related("line", "to_line", "proposed_by", "decided_by").order_by("pk"))
    say.chapter("预算：调整有批文，全年看得到", day=day_of(changes[0].proposed_at), until=stage.time.end)
    for change in changes:
        where = f"“{change.line.name}”" + (f"调入“{change.to_line.name}”" if change.to_line else "")
        amount = money(change.amount or Decimal("0.00"))
        say.say(
            f"{change.get_kind_display()} {change.paper_number}：{where} {amount}。{change.reason}",
            at=change.proposed_at,
            who=str(change.proposed_by),
        )
        if change.decided_at is not None:
            say.say(f"批准，即时入账。{change.note}", at=change.decided_at, who=str(change.decided_by))
        else:
            say.detail("尚未批准，额度不变，在审批人员的桌上。")
    say.heading("到年底会怎样")
    rows = []
    lines = BudgetLine.objects.filter(year=stage.time.end.year).order_by("code")
    for found in forecasts(lines=lines, as_of=stage.time.end):
        told = found.forecast
        sums = (told.ceiling, told.bound, told.sum_of("expected"), told.total)
        verdict = "够" if not told.gap else f"缺 {told.gap:,.2f}"
        rows.append([found.line.name, *(f"{amount:,.2f}" for amount in sums), verdict])
    say.table(["预算科目（元）", "预算", "已用和已预留", "在办预计", "全年预计", "结论"], rows, right=(1, 2, 3, 4))


def desks(stage: Stage, say: Narrator) -> None:
    say.chapter("现在轮到您：各人桌上还有什么", day=stage.time.end)
    calendar = stage.time.calendar
    rows = []
    for state in ApplicationState:
        found = Application.objects.filter(state=state)
        if not found.exists():
            continue
        colours = dict.fromkeys(Colour, 0)
        for clock in StepClock.objects.filter(application__in=found, stopped_on__isnull=True).prefetch_related(
            "pauses"
        ):
            reading = clocks.read(clock.as_clock(), as_of=stage.time.today, calendar=calendar)
            if not reading.paused:
                colours[reading.colour] += 1
        shown = "、".join(f"{_SHOWN[colour]} {count}" for colour, count in colours.items() if count)
        rows.append([state.label, str(found.count()), shown, _WHOSE.get(state, "")])
    say.table(["申报", "件", "时限", "在谁手上"], rows, right=(1,))
    cards = ClockCard.objects.order_by("colour").values_list("colour", flat=True)
    drawn = list(cards)
    say.blank()
    say.point(f"督查：已出黄牌 {drawn.count('yellow')} 张、红牌 {drawn.count('red')} 张，各记到部门和人。")
    for label, step in (("经办", BatchState.CHECKED), ("复核", BatchState.MADE), ("审批", BatchState.VERIFIED)):
        for batch in Batch.objects.filter(state=step).select_related("budget_line").order_by("number"):
            say.point(f"财务：批次 {batch.number}（{batch.budget_line.name}，{money(batch.total)}）等待{label}。")
    for account in PayeeAccount.objects.filter(state=AccountState.PROPOSED).select_related("enterprise"):
        say.point(f"财务复核：{account.enterprise.name} 的收款账户 {account.masked} 等待核对。")
    for payable in Payable.objects.filter(state=PayableState.HELD).select_related("enterprise"):
        say.point(f"财务：{payable.enterprise.name} {money(payable.amount)} 暂缓，{payable.hold_reason}。")
    strange = ReturnLine.objects.filter(status=LineStatus.EXCEPTION, resolved_at__isnull=True).count()
    say.point(f"财务：回单例外 {strange} 行待查。")
    for payable in Payable.objects.filter(state=PayableState.BOUNCED).select_related("enterprise"):
        say.point(f"企业：{payable.enterprise.name} 的 {money(payable.amount)} 退票，等它更正账户。")
    waiting = Objection.objects.filter(sustained__isnull=True).count()
    unanswered = Rectification.objects.filter(answered_at__isnull=True).count()
    say.point(f"复审：公示异议 {waiting} 件待处理；审核：差评整改 {unanswered} 件待答复。")
    unread = Notification.objects.filter(enterprise__external_id=PROTAGONIST, read_marks__isnull=True).count()
    say.point(f"企业：{enterprise(PROTAGONIST).name} 有 {unread} 条未读消息。")
    flags = MaterialFlag.objects.filter(settled_at__isnull=True).count()
    say.point(f"审核：证照变动 {flags} 份待处理，处理之前不能公示或通过。")
    cycle = Cycle.objects.filter(state="open").order_by("month").last()
    if cycle is not None:
        say.point(f"{month_label(cycle.month)} 的周期正在归集，{cycle.cut_off_on} 截止。")


_SHOWN = {Colour.GREEN: "绿", Colour.YELLOW: "黄", Colour.RED: "红"}
_S = ApplicationState
_WHOSE = {
    _S.DRAFT: "企业（草稿）",
    _S.SUBMITTED: "受理人",
    _S.CORRECTION: "企业（补正）",
    _S.ACCEPTED: "审核人",
    _S.IN_REVIEW: "审核人",
    _S.EXPERT: "专家",
    _S.SITE_VISIT: "审核人（现场核查）",
    _S.JOINT_REVIEW: "会审部门",
    _S.SECOND_REVIEW: "复审人",
    _S.PUBLICITY: "公示",
    _S.APPEAL: "另一位复审人",
    _S.APPROVED: "财务（等待兑现）",
    _S.CLOSED: "已到账，办结",
}


def _balance_cells(held: dict[AccountKind, Decimal]) -> list[str]:
    kinds = (AccountKind.RESERVED, AccountKind.COMMITTED, AccountKind.PAID, AccountKind.APPROPRIATED)
    return [f"{-held[AccountKind.SOURCE]:,.2f}", *(f"{held[kind]:,.2f}" for kind in kinds)]


def _end_of_first(stage: Stage) -> datetime:
    return at(stage.time.after(stage.time.cut(stage.time.first), 2), 23)


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
