"""The two months of the money: cut-off, signatures, sealing, returns, and what people do about a bounce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from disbursement.domain.cycle import next_month
from disbursement.domain.workflow import BatchState
from disbursement.models import Batch, Rectification
from disbursement.services.application import ratings
from disbursement.services.month import batches, cycles
from disbursement.services.payment import returns, sealing
from matching.services import facts
from portal.demo.enterprises import BOUNCED, CREDIT_FALLER, PROTAGONIST, credit_fall
from portal.demo.story import acts, bank
from portal.demo.story.stage import Act, Stage, StoryBroken, enterprise
from portal.demo.story.timeline import at

# The lines whose batches the story follows to the end; those of other lines are left on the finance desks.
FOLLOWED = ("kj-cx", "zs-cq")
# ISO 20022 for one of them, the bank's CSV for the other: both formats are told.
FORMATS = {"zs-cq": "pain001"}
_GLAD = ((5, "推送里把理由写清楚了，一看就知道能报。"), (4, "进度随时能查，就是材料预览慢一点。"), (5, ""))


def followed(month: date) -> list[Batch]:
    """The batches of a month that the story follows, by number."""
    found = Batch.objects.filter(cycle__month=month, budget_line__code__in=FOLLOWED)
    return list(
        found.exclude(state=BatchState.DISSOLVED).select_related("budget_line__department", "cycle").order_by("number")
    )


def plan_cut_off(stage: Stage, month: date) -> None:
    """The cut-off of a month, in the afternoon of its day; then the next month begins to gather."""
    stage.plan(at(stage.time.cut(month), 16), lambda now: cycles.cut_off(month=month, now=now))
    stage.plan(at(stage.time.cut(month), 18), lambda now: cycles.open_cycle(month=next_month(month), now=now))


def plan_payment(stage: Stage, month: date, *, bounces: Mapping[str, str], strangers: int = 0) -> None:
    """Signatures, sealing, sending, and the returns, of the batches that the story follows."""
    time = stage.time
    signed, returned = time.after(time.cut(month), 1), time.after(time.cut(month), 2)
    stage.plan(at(signed, 9, 30), lambda now: _make(stage, month, now))
    stage.plan(at(signed, 11), lambda now: _verify(stage, month, now))
    stage.plan(at(signed, 15), lambda now: _approve(stage, month, now))
    stage.plan(at(signed, 16), lambda now: cycles.seal_signed(month=month, now=now))
    stage.plan(at(signed, 16, 30), lambda now: _acknowledge(month, now))
    for hour in (14, 16):  # the bank sends the same files twice; the second reading changes nothing
        stage.plan(
            at(returned, hour), lambda now: _read_returns(stage, month, now, bounces=bounces, strangers=strangers)
        )


def plan_left_over(stage: Stage, month: date) -> None:
    """Batches of other lines: one waits for its maker, one for its checker, one for its approver."""
    day = stage.time.cut(month)

    def others() -> list[Batch]:
        found = Batch.objects.filter(cycle__month=month, state=BatchState.CHECKED)
        return list(found.exclude(budget_line__code__in=FOLLOWED).order_by("number"))

    def sign(now: datetime) -> None:
        for batch in others()[1:]:
            batches.make(batch_id=batch.pk, actor=stage.staff("maker"), now=now, note="核对无误，提交复核。")
        made = Batch.objects.filter(cycle__month=month, state=BatchState.MADE).order_by("number")
        for batch in list(made.exclude(budget_line__code__in=FOLLOWED))[1:]:
            batches.verify(
                batch_id=batch.pk,
                actor=stage.staff("checker"),
                now=now,
                seen_sha256=batch.file_sha256,
                note="复核一致。",
            )

    stage.plan(at(day, 17, 30), sign)


def plan_credit_fall(stage: Stage) -> None:
    """The credit platform reports a loss of trust between approval and payment."""
    day = stage.time.before(stage.time.cut(stage.time.first), 2)

    def report(now: datetime) -> None:
        for key, value in credit_fall(day).items():
            facts.record(
                enterprise=enterprise(CREDIT_FALLER), key=key, value=value, source="信用平台", valid_on=day, now=now
            )

    stage.plan(at(day, 9), report)


def plan_mending(stage: Stage) -> None:
    """The enterprise whose payment bounced gives another account, and a second person checks it."""
    cut = stage.time.cut(stage.time.first)
    proposed, checked = stage.time.after(cut, 3), stage.time.after(cut, 4)
    stage.plan(
        at(proposed, 10),
        lambda now: acts.give_account(
            stage=stage, external_id=BOUNCED, now=now, number="6217003810099887766", check=False
        ),
    )
    stage.plan(at(checked, 10), lambda now: _check_accounts(stage, now))


def plan_ratings(stage: Stage, *, unhappy: str, glad: Sequence[str]) -> None:
    """Most are glad; one is not, and is answered; another is not, and waits for its answer on the reviewer's desk."""
    first, second = (stage.time.cut(month) for month in (stage.time.first, stage.time.second))
    stage.plan(
        at(stage.time.after(first, 4), 15),
        lambda now: _rate(stage, (PROTAGONIST, "zs-pledge"), 5, "全程没跑一趟，钱到账的月份和当初说的一样。", now),
    )
    for number, (external_id, (level, comment)) in enumerate(zip(glad, _GLAD, strict=False), 1):
        stage.plan(at(stage.time.after(first, 4), 15, number), _rating(stage, external_id, level, comment))
    stage.plan(
        at(stage.time.after(second, 3), 9),
        lambda now: _rate(stage, (BOUNCED, "kj-hightech"), 2, "退票以后晚到一个月，希望登记账户时就能验证。", now),
    )
    stage.plan(at(stage.time.after(second, 4), 15), lambda now: _rectify(stage, now))
    stage.plan(
        at(stage.time.after(second, 5), 10),
        lambda now: _rate(stage, _any_of(stage, unhappy), 1, "材料里的合同上传了三次才成功，没有人告诉我为什么。", now),
    )


def _make(stage: Stage, month: date, now: datetime) -> None:
    for batch in followed(month):
        batches.make(
            batch_id=batch.pk,
            actor=stage.staff("maker"),
            now=now,
            file_format=FORMATS.get(batch.budget_line.code),
            note="笔数、金额与核定一致。",
        )


def _verify(stage: Stage, month: date, now: datetime) -> None:
    for batch in followed(month):
        batches.verify(
            batch_id=batch.pk,
            actor=stage.staff("checker"),
            now=now,
            seen_sha256=batch.file_sha256,
            note="逐笔复核账户与金额。",
        )


def _approve(stage: Stage, month: date, now: datetime) -> None:
    for batch in followed(month):
        batches.approve(
            batch_id=batch.pk, actor=stage.staff("approver"), now=now, seen_sha256=batch.file_sha256, note="同意支付。"
        )


def _acknowledge(month: date, now: datetime) -> None:
    for batch in followed(month):
        sealing.acknowledge(batch_id=batch.pk, now=now, reference=f"ACK-{batch.number}")


def _read_returns(stage: Stage, month: date, now: datetime, *, bounces: Mapping[str, str], strangers: int) -> None:
    for batch in followed(month):
        stray = strangers if batch.budget_line.code == FOLLOWED[0] else 0
        name, content = bank.answer(batch=batch, day=now.date(), bounces=bounces, strangers=stray)
        returns.import_return(name=name, content=content, now=now, actor=stage.staff("maker"))


def _check_accounts(stage: Stage, now: datetime) -> None:
    from disbursement.models import AccountState, PayeeAccount
    from disbursement.services.payment import payees

    waiting = PayeeAccount.objects.filter(enterprise__external_id=BOUNCED, state=AccountState.PROPOSED)
    for account in waiting:
        payees.check_account(
            account_id=account.pk,
            actor=stage.staff("checker"),
            now=now,
            accept=True,
            note="与新开户许可证、银行回执一致。",
        )


def _rate(stage: Stage, which: tuple[str, str], level: int, comment: str, now: datetime) -> None:
    ratings.rate(
        application_id=stage.applications[which],
        level=level,
        comment=comment,
        actor=stage.person_of(which[0]),
        now=now,
    )


def _rating(stage: Stage, external_id: str, level: int, comment: str) -> Act:
    return lambda now: _rate(stage, _any_of(stage, external_id), level, comment, now)


def _any_of(stage: Stage, external_id: str) -> tuple[str, str]:
    found = next((key for key in stage.applications if key[0] == external_id), None)
    if found is None:
        raise StoryBroken(f"企业 {external_id} 没有申报")
    return found


def _rectify(stage: Stage, now: datetime) -> None:
    opened = Rectification.objects.filter(
        answered_at__isnull=True, rating__application__enterprise__external_id=BOUNCED
    )
    for rectification in opened:
        ratings.answer(
            rectification_id=rectification.pk,
            reply="已向您电话致歉。自下月起，企业登记收款账户时即由银行预校验户名账号，避免退票；本次流程已复盘。",
            actor=stage.staff("reviewer"),
            now=now,
        )
