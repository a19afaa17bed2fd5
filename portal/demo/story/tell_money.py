"""Chapters 7 to 9 and 11: the month of the money, told twice: once with a bounce, once with it mended."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from disbursement.domain.cycle import month_label
from disbursement.domain.money import total
from disbursement.domain.workflow import BatchState, PayableState
from disbursement.models import (
    AccountKind,
    AccountState,
    AttemptOutcome,
    Award,
    Batch,
    BatchApproval,
    Cycle,
    LedgerTransfer,
    Payable,
    PayeeAccount,
    PaymentAttempt,
    Reconciliation,
    ReturnFile,
    ReturnLine,
    SealedFile,
    StateChange,
)
from disbursement.treasury.formats import payment_format
from matching.days import day_of
from matching.models import Fact
from portal.demo.enterprises import BOUNCED, CREDIT_FALLER
from portal.demo.narrator import Narrator, money
from portal.demo.story.months import followed
from portal.demo.story.stage import Stage
from portal.inbox.models import Notification

_FIGURES = (("approved", "核定"), ("batch", "批次"), ("file", "文件"), ("bank", "银行"))


def cut_off(stage: Stage, say: Narrator) -> None:
    month = stage.time.first
    cycle = Cycle.objects.get(month=month)
    assert cycle.cut_at is not None
    say.chapter("截止：归集成批，付款前再查一遍", day=day_of(cycle.cut_at))
    credit = Fact.objects.get(enterprise__external_id=CREDIT_FALLER, key="credit_records", source="信用平台")
    granted = Award.objects.get(enterprise=credit.enterprise)
    say.say(
        f"收到 {credit.enterprise.name} 的新记录：{_credit_words(credit)}，自 {credit.valid_on} 起。"
        + ("核定时它还没有这条记录。" if granted.granted_at < credit.recorded_at else ""),
        at=credit.recorded_at,
        who="信用平台",
    )
    batches = followed(month)
    say.say(
        f"{cycle} 截止（截止日 {cycle.cut_off_on}，逢休提前到工作日）。到期应付按预算科目归集、冻结、逐笔校验，"
        f"得 {len(batches)} 个批次：",
        at=cycle.cut_at,
        who="系统",
    )
    _batch_table(batches, say)
    for attempt in _withdrawn(batches):
        say.bad(
            f"{attempt.payable.enterprise.name}：{money(attempt.amount)} 没有通过校验，"
            f"移出批次 {attempt.batch.number}。原因：{attempt.outcome_reason}。"
        )
        change = StateChange.objects.filter(payable=attempt.payable, action="hold").order_by("pk").first()
        if change is not None:
            say.point(
                f"状态由“{PayableState(change.source).label}”改为“{PayableState(change.target).label}”"
                f"{_kept(attempt.payable)}。",
                depth=2,
            )
            _told(attempt.payable, change, say)


def signatures(stage: Stage, say: Narrator) -> None:
    batches = followed(stage.time.first)
    signed = (
        BatchApproval.objects.filter(batch__in=batches).select_related("person", "batch").order_by("signed_at", "pk")
    )
    first = signed.first()
    assert first is not None
    say.chapter("三人签署，封存，发送", day=day_of(first.signed_at))
    _signatures(batches, say)


def _signatures(batches: list[Batch], say: Narrator) -> None:
    for batch in batches:
        say.heading(f"批次 {batch.number}  {batch.budget_line.name}  {batch.count} 笔  {money(batch.total)}")
        for signed in batch.approvals.select_related("person").order_by("pk"):
            say.say(
                f"签署 {signed.file_sha256[:12]}…（{signed.count} 笔，{money(signed.total)}）：{signed.note}",
                at=signed.signed_at,
                who=f"{signed.person}（{signed.get_role_display()}）",
            )
        people = batch.approvals.values("person").distinct().count()
        sealed = SealedFile.objects.get(batch=batch)
        say.say(
            f"{people} 个不同的人签的是同一份字节，封存 {sealed.name}（{sealed.get_format_display()}）：",
            at=sealed.sealed_at,
            who="系统",
        )
        say.point(f"SHA-256 {sealed.sha256}", depth=10)
        say.point(f"控制总数 {sealed.count} 笔，{money(sealed.total)}", depth=10)
        path = Path(settings.HUIDA_TREASURY_OUTBOX) / sealed.name
        on_disk = path.read_bytes()
        again = payment_format(sealed.format).read_totals(on_disk)
        same = hashlib.sha256(on_disk).hexdigest() == sealed.sha256
        assert batch.sent_at is not None
        say.say(
            f"送达代理银行文件夹。从文件重读：{again.count} 笔，{money(again.total)}，"
            f"摘要{'一致' if same else '不一致'}。银行回执 {batch.acknowledgement}。",
            at=batch.sent_at,
            who="系统",
        )


def _signed_in_short(batches: list[Batch], say: Narrator) -> None:
    say.heading("签署与封存")
    rows = []
    for batch in batches:
        signers = " → ".join(str(signed.person) for signed in batch.approvals.select_related("person").order_by("pk"))
        sealed = SealedFile.objects.get(batch=batch)
        rows.append(
            [batch.number, signers, sealed.name, f"{sealed.count} 笔 {money(sealed.total)}", sealed.sha256[:12] + "…"]
        )
    say.table(["批次", "经办 → 复核 → 审批", "封存文件", "控制总数", "SHA-256"], rows, right=(3,))


def returned(stage: Stage, say: Narrator) -> None:
    batches = followed(stage.time.first)
    files = _files(batches)
    say.chapter("银行回单与四方对账", day=day_of(files[0].received_at))
    _returns(files, say)
    for attempt in _bounced(batches):
        change = StateChange.objects.filter(payable=attempt.payable, action="bounce").order_by("pk").first()
        say.bad(
            f"{attempt.payable.enterprise.name}：{money(attempt.amount)} 退票，原因“{attempt.outcome_reason}”。"
            + (
                f"款项由“{PayableState(change.source).label}”改为“{PayableState(change.target).label}”"
                f"{_kept(attempt.payable)}。"
                if change
                else ""
            )
        )
        if change is not None:
            _told(attempt.payable, change, say)
    _four_figures(batches, say)
    _ending(stage.time.first, say)


def mended(stage: Stage, say: Narrator) -> None:
    payable = Payable.objects.get(enterprise__external_id=BOUNCED)
    accounts = PayeeAccount.objects.filter(enterprise=payable.enterprise).select_related("proposed_by", "checked_by")
    old = accounts.filter(state=AccountState.RETIRED).order_by("pk").first()
    new = accounts.get(state=AccountState.CHECKED)
    assert old is not None
    assert new.checked_at is not None
    batches = followed(stage.time.second)
    cycle = Cycle.objects.get(month=stage.time.second)
    files = _files(batches)
    say.chapter("退票更正，第二个人核对，次月兑现", day=day_of(new.proposed_at), until=day_of(files[-1].received_at))
    say.say(
        f"{payable.enterprise.name} 自己更正账户：{old.masked} 换成 {new.bank_name} {new.masked}。",
        at=new.proposed_at,
        who=str(new.proposed_by),
    )
    say.say(
        f"由另一个人核对通过：{new.note.rstrip('。')}。"
        f"款项列入 {month_label(_scheduled(payable, stage.time.second))} 兑现。",
        at=new.checked_at,
        who=f"{new.checked_by}（财务复核）",
    )
    assert cycle.cut_at is not None
    say.say(f"{cycle} 截止，{len(batches)} 个批次：", at=cycle.cut_at, who="系统")
    _batch_table(batches, say)
    for attempt in _withdrawn(batches):
        say.bad(
            f"{attempt.payable.enterprise.name}：仍未通过校验（{attempt.outcome_reason}），再顺延一个月，不影响别人。"
        )
    _signed_in_short(batches, say)
    say.heading("银行回单")
    _returns(files, say)
    attempt = PaymentAttempt.objects.select_related("batch").get(payable=payable, outcome=AttemptOutcome.PAID)
    tries = payable.attempts.count()
    say.good(
        f"{payable.enterprise.name}：{money(attempt.amount)} 于 {attempt.outcome_on} 到账，"
        f"批次 {attempt.batch.number}，第 {tries} 次支付；"
        f"款项“{payable.get_state_display()}”，申报“{payable.application.get_state_display()}”。"
    )
    for bounce in _bounced(batches):
        say.bad(
            f"{bounce.payable.enterprise.name}：{money(bounce.amount)} 退票（{bounce.outcome_reason}），"
            f"现为“{bounce.payable.get_state_display()}”，留给您在演示中办。"
        )
    _four_figures(batches, say)
    _ending(stage.time.second, say)


def _batch_table(batches: list[Batch], say: Narrator) -> None:
    rows = [
        [batch.number, batch.budget_line.name, str(batch.count), money(batch.total),
         str(batch.attempts.filter(outcome=AttemptOutcome.WITHDRAWN).count())]
        for batch in batches
    ]  # fmt: skip
    say.table(["批次", "预算科目", "笔数", "金额", "暂缓"], rows, right=(2, 3, 4))


def _withdrawn(batches: list[Batch]) -> list[PaymentAttempt]:
    found = PaymentAttempt.objects.filter(batch__in=batches, outcome=AttemptOutcome.WITHDRAWN)
    return list(found.select_related("payable__enterprise", "batch").order_by("pk"))


def _bounced(batches: list[Batch]) -> list[PaymentAttempt]:
    found = PaymentAttempt.objects.filter(batch__in=batches, outcome=AttemptOutcome.BOUNCED)
    return list(found.select_related("payable__enterprise", "batch").order_by("pk"))


def _files(batches: list[Batch]) -> list[ReturnFile]:
    return list(ReturnFile.objects.filter(lines__batch__in=batches).distinct().order_by("pk"))


def _returns(files: list[ReturnFile], say: Narrator) -> None:
    for file in files:
        lines = list(file.lines.order_by("row_no"))
        posted = [line for line in lines if line.status == "posted"]
        results = "，".join(
            f"{label} {sum(line.result == code for line in posted)} 笔"
            for code, label in (("paid", "成功"), ("bounced", "退票"))
        )
        strange = [line for line in lines if line.status == "exception"]
        say.say(
            f"读入 {file.name}：{len(lines)} 行，入账 {len(posted)} 行（{results}），例外 {len(strange)} 行。",
            at=file.received_at,
            who=str(file.received_by),
        )
        for line in strange:
            say.detail(f"例外 第 {line.row_no} 行 {line.line_id}：{line.problem}；记账不动，列入例外清单。")
    kept = ReturnFile.objects.filter(name__in=[file.name for file in files]).count()
    posted_lines = ReturnLine.objects.filter(file__in=files, status="posted")
    once = posted_lines.values("attempt", "result").distinct().count()
    say.note(
        f"银行两小时后把同样的文件又发来一遍，也读了：库里仍是 {kept} 份文件，"
        f"{once} 笔结果入账 {posted_lines.count()} 次。"
    )


def _four_figures(batches: list[Batch], say: Narrator) -> None:
    say.heading("四方对账")
    rows = []
    for batch in batches:
        last = Reconciliation.objects.filter(batch=batch).order_by("-pk").first()
        assert last is not None
        cells = [
            f"{last.figures[key]['count']} 笔 {Decimal(last.figures[key]['total']):,.2f}" for key, _label in _FIGURES
        ]
        rows.append([batch.number, *cells, "一致" if last.agrees else "不一致"])
    say.table(["批次", *(label for _key, label in _FIGURES), "结论"], rows, right=(1, 2, 3, 4))


def _ending(month: date, say: Narrator) -> None:
    cycle = Cycle.objects.get(month=month)
    done = [batch for batch in followed(month) if batch.state in (BatchState.RECONCILED, BatchState.CLOSED)]
    settled = Payable.objects.filter(state=PayableState.SETTLED, attempts__batch__in=done, attempts__outcome="paid")
    states = "，".join(f"{batch.number}“{batch.get_state_display()}”" for batch in done)
    say.good(
        f"{len(done)} 个批次对平（{states}），{settled.count()} 笔结清；{cycle} 的周期“{cycle.get_state_display()}”。"
    )
    if any(batch.state == BatchState.RECONCILED for batch in done):
        say.note("对平而未关闭的批次，还有一行回单例外要人查清；周期要等它的批次都关闭。")


def _kept(payable: Payable) -> str:
    """Whether the ledger still holds the amount for it."""
    reserved = {"credit__kind": AccountKind.RESERVED}, {"debit__kind": AccountKind.RESERVED}
    into, out_of = (
        total(t.amount for t in LedgerTransfer.objects.filter(payable=payable, **side)) for side in reserved
    )
    return "，预算仍为它预留" if into - out_of == payable.amount else ""


def _told(payable: Payable, change: StateChange, say: Narrator) -> None:
    """What the enterprise was told of it."""
    message = Notification.objects.filter(enterprise=payable.enterprise, created_at=change.made_at).last()
    if message is not None:
        say.point(f"企业收到：{message.title}。{message.body}".replace("。。", "。"), depth=2)


def _scheduled(payable: Payable, month: date) -> date:
    found = payable.attempts.filter(batch__cycle__month=month).select_related("batch__cycle").first()
    return payable.pay_month if found is None else found.batch.cycle.month


def _credit_words(fact: Fact) -> str:
    from matching.services.vocabulary import current_vocabulary
    from portal.facts.display import fact_text

    return fact_text(fact.key, fact.value, current_vocabulary())
