"""The account to which enterprises pay money back, and whom they ask: one person of finance proposes it, another
approves; it stands on demands and papers from then on.
"""

from __future__ import annotations

import re
from datetime import datetime

from django.db import IntegrityError, transaction

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Fault, Invalid, invalid
from disbursement.domain.workflow import Role
from disbursement.models import RepaymentAccount, RepaymentDecision
from disbursement.services.payment.transitions import person, require_role

_FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER)
_SHAPE = re.compile(r"[0-9]{8,32}", re.ASCII)
_WAITS = "已有待批准的退款账户，请先批准或不同意。"


@transaction.atomic
def propose(
    *,
    account_name: str,
    bank_name: str,
    account_number: str,
    contact: str,
    phone: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> RepaymentAccount:
    """Propose the account of the whole district; the one in force stays until another person approves this one.

    Raises Denied for who has no role of finance in the whole district, Invalid with everything wrong with it.
    """
    require_role(actor=actor, roles=_FINANCE)
    number = re.sub(r"[\s-]", "", account_number)
    told = {
        "account_name": (account_name.strip(), "请填写户名，应与开户行登记的一致。"),
        "bank_name": (bank_name.strip(), "请填写开户银行。"),
        "contact": (contact.strip(), "请填写联系人或科室，企业有疑问时可以询问。"),
        "phone": (phone.strip(), "请填写联系电话。"),
        "reason": (reason.strip(), "请填写依据，如开户或变更账户的文件。"),
    }
    faults = [Fault(place, words) for place, (value, words) in told.items() if not value]
    if not _SHAPE.fullmatch(number):
        faults.append(Fault("account_number", "账号应为8至32位数字，请核对。"))
    if faults:
        raise Invalid(faults)
    if RepaymentAccount.objects.filter(decision=RepaymentDecision.NONE).exists():
        raise invalid("account_number", _WAITS)
    try:
        with transaction.atomic():
            return RepaymentAccount.objects.create(
                **{place: value for place, (value, _) in told.items()},
                account_number=number,
                proposed_by_id=person(actor),
                proposed_at=now,
            )
    except IntegrityError as error:
        if RepaymentAccount.objects.filter(decision=RepaymentDecision.NONE).exists():
            raise invalid("account_number", _WAITS) from error
        raise


@transaction.atomic
def decide(*, account_id: int, approve: bool, actor: Actor, now: datetime, note: str = "") -> RepaymentAccount:
    """Approve a proposed account, which is in force at once, or refuse it with a note; by a finance approver other than
    who proposed it. Raises Denied, Conflict, Invalid.
    """
    require_role(actor=actor, roles=[Role.FINANCE_APPROVER])
    account = RepaymentAccount.objects.select_for_update().filter(pk=account_id).first()
    if account is None or account.decision:
        raise invalid("account", "没有待批准的退款账户，可能已由他人办理。")
    if account.proposed_by_id == person(actor):
        raise Conflict("这个账户由您提出，须由另一名审批人员决定。")
    if not approve and not note.strip():
        raise invalid("note", "请写明不同意的原因。")
    account.decision = (RepaymentDecision.APPROVED if approve else RepaymentDecision.REFUSED).value
    account.decided_by_id, account.decided_at, account.note = person(actor), now, note.strip()[:300]
    account.save(update_fields=["decision", "decided_by", "decided_at", "note"])
    return account
