"""What the bank sent back by its own fault (system failure, wrong routing) is paid again to the same account.

One person of finance says so with the bank's word for it, an approver decides. Nobody else has to do anything: the
account stays, and the payment goes with the next cut-off, where it is checked like any other. Topics `reissue.proposed`
and `reissue.decided` {reissue}.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import invalid
from disbursement.domain.workflow import PAYABLE, PayableAction, PayableState, Role
from disbursement.models import AttemptOutcome, Payable, PayeeAccount, PaymentAttempt, Reissue
from disbursement.services.award.awards import promised_month
from disbursement.services.payment.standing import locked_payable, may_handle
from disbursement.services.payment.transitions import (
    move_payables,
    person,
    slip,
    tell,
)
from matching.days import day_of
from matching.registry import outbox

_PROPOSING = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER)
# An enterprise that does not mend its account is reminded as often as this, in days.
REMIND_EVERY = 10


@transaction.atomic
def propose(*, payable_id: int, reason: str, actor: Actor, now: datetime) -> Reissue:
    """Ask that a bounced payable be paid again to its account. Raises Invalid where it is not bounced, the bank
    contradicts itself, or it was asked for; Denied, Conflict.
    """
    payable = locked_payable(payable_id=payable_id)
    may_handle(payable=payable, actor=actor, roles=_PROPOSING)
    if not reason.strip():
        raise invalid("reason", "请填写依据，如银行的说明：退回原因不在收款账户。")
    attempt = _bounce(payable=payable)
    if Reissue.objects.filter(attempt=attempt).exclude(approved=False).exists():
        raise invalid("payable", "这笔退票已提出过原账户重新支付，请等待审批或刷新页面。")
    _check_account(payable=payable, attempt=attempt)
    made = Reissue.objects.create(
        payable=payable,
        attempt=attempt,
        reason=reason.strip()[:300],
        proposed_by_id=person(actor),
        proposed_at=now,
    )
    outbox.emit(
        topic="reissue.proposed", payload={"reissue": made.pk}, now=now, dedupe_key=f"reissue.proposed:{made.pk}"
    )
    return made


@transaction.atomic
def decide(*, reissue_id: int, approve: bool, actor: Actor, now: datetime, note: str = "") -> Reissue:
    """Agree, and the payable goes with the next cut-off; or refuse with a note, and it waits for another account.
    An approver other than who asked. Raises Conflict, Denied, Invalid.
    """
    payable = locked_payable(payable_id=Reissue.objects.values_list("payable_id", flat=True).get(pk=reissue_id))
    found = Reissue.objects.select_for_update(of=("self",)).select_related("attempt").get(pk=reissue_id)
    role = may_handle(payable=payable, actor=actor, roles=(Role.FINANCE_APPROVER,))
    if found.approved is not None:
        raise invalid("reissue", "这项申请已经决定，不能再次决定。请刷新页面。")
    if found.proposed_by_id == person(actor):
        raise Conflict("这项申请由您提出，须由另一名财务审批人员决定。")
    if not approve and not note.strip():
        raise invalid("note", "请写明不同意的原因。")
    if approve:
        PAYABLE.find(PayableState(payable.state), PayableAction.REISSUE, role)
        _check_account(payable=payable, attempt=_bounce(payable=payable))
    found.approved, found.decided_by_id, found.decided_at = approve, person(actor), now
    found.note = note.strip()[:300]
    found.save(update_fields=["approved", "decided_by", "decided_at", "note"])
    if approve:
        move_payables(
            payables=[payable], action=PayableAction.REISSUE, role=role, actor=actor, now=now, note=found.reason
        )
        slip(payables=[payable], month=promised_month(day=day_of(now)), reason="银行原因退回，按原账户重新支付")
        tell(event="reissued", payables=[payable], now=now, key=str(found.pk))
    outbox.emit(
        topic="reissue.decided", payload={"reissue": found.pk}, now=now, dedupe_key=f"reissue.decided:{found.pk}"
    )
    return found


def remind_of_bounces(*, now: datetime) -> int:
    """Remind enterprises of payments that came back and wait for another account, every ten days (Asia/Shanghai): topic
    `payable.still_bounced`. Returns how many wait for so long. What finance wants to pay again needs no other account.
    """
    today = day_of(now)
    asked = Reissue.objects.filter(attempt=OuterRef("pk")).exclude(approved=False)
    late = PaymentAttempt.objects.filter(
        outcome=AttemptOutcome.BOUNCED,
        payable__state=PayableState.BOUNCED,
        outcome_on__lte=today - timedelta(days=REMIND_EVERY),
    ).exclude(Exists(asked))
    latest: dict[int, tuple[int, int]] = {}
    for pk, payable_id, day in late.order_by("pk").values_list("pk", "payable_id", "outcome_on"):
        if day is not None:
            latest[payable_id] = (pk, (today - day).days // REMIND_EVERY)
    with transaction.atomic():
        outbox.emit_many(
            topic="payable.still_bounced",
            messages=[
                ({"payables": [payable_id]}, f"payable.still_bounced:{attempt}:{times}")
                for payable_id, (attempt, times) in sorted(latest.items())
            ],
            now=now,
        )
    return len(latest)


def _bounce(*, payable: Payable) -> PaymentAttempt:
    """The attempt that came back last. Raises Invalid where the payable is not bounced, or it may have arrived."""
    attempt = payable.attempts.filter(outcome=AttemptOutcome.BOUNCED).order_by("-pk").first()
    if payable.state != PayableState.BOUNCED or attempt is None:
        raise invalid("payable", f"该款项现为“{PayableState(payable.state).label}”，不是退票，不能重新支付。")
    if payable.attempts.filter(contradicted=True).exists():
        raise invalid("payable", "银行对上次支付的结果前后矛盾，可能已经到账。请先向银行核实并登记。")
    return attempt


def _check_account(*, payable: Payable, attempt: PaymentAttempt) -> None:
    """Raise Invalid where the account to which it was paid is not the enterprise's any longer."""
    account = PayeeAccount.objects.filter(enterprise=payable.enterprise_id, state="checked").first()
    if account is None or account.account_number != attempt.account_number:
        raise invalid("payable", "企业现在使用的收款账户不是退票的账户。请等企业的新账户核对后支付。")
