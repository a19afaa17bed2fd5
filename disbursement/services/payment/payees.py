"""Accounts that enterprises are paid to: proposed by the enterprise, checked by finance, never by the same
person.
"""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Fault, Invalid, invalid
from disbursement.domain.workflow import PayableAction, PayableState, Role
from disbursement.models import (
    AccountState,
    HoldKind,
    LineStatus,
    Payable,
    PayeeAccount,
    ReturnLine,
    ReturnResult,
)
from disbursement.models.payout import AccountProof
from disbursement.services.award.awards import promised_month
from disbursement.services.evidence import stored
from disbursement.services.evidence.stored import Examined
from disbursement.services.payment.transitions import (
    lock_payables,
    move_payables,
    person,
    require_role,
    slip,
    tell,
)
from disbursement.services.review import interests
from matching.days import day_of
from matching.models import Enterprise
from matching.registry import outbox

_NUMBER = re.compile(r"^[0-9]{8,32}$")
_BANK_CODE = re.compile(r"^[0-9]{12}$")
# Here the payee may still be changed: nothing of it has left the house, or it came back.
_CHANGEABLE = (PayableState.AWAITING, PayableState.RESERVED, PayableState.HELD, PayableState.MENDED)


def propose_account(
    *,
    enterprise_id: int,
    account_name: str,
    bank_name: str,
    account_number: str,
    actor: Actor,
    now: datetime,
    bank_code: str = "",
    proof: tuple[str, bytes] | None = None,
) -> PayeeAccount:
    """The enterprise enters the account it wants to be paid to, with the paper (name, bytes) that proves it. It
    replaces one that still waits to be checked.

    Bounced payables of the enterprise wait from now on for the check. Raises Invalid with every fault.
    """
    # Looked at before anything is locked: a scanner takes its time.
    examined = None if proof is None else stored.examine(content=proof[1], name=proof[0])
    with transaction.atomic():
        return _propose(
            enterprise_id=enterprise_id,
            given=(account_name, bank_name, account_number, bank_code),
            actor=actor,
            now=now,
            examined=examined,
        )


def _propose(
    *, enterprise_id: int, given: tuple[str, str, str, str], actor: Actor, now: datetime, examined: Examined | None
) -> PayeeAccount:
    account_name, bank_name, account_number, bank_code = given
    if not actor.acts_for(enterprise_id):
        raise Denied("您没有办理该企业事项的授权。")
    enterprise = Enterprise.objects.select_for_update().get(pk=enterprise_id)
    number = re.sub(r"[\s-]", "", account_number)
    name, bank, code = account_name.strip(), bank_name.strip(), bank_code.strip()
    faults = []
    if name != enterprise.name:
        faults.append(Fault("account_name", f"户名应与企业名称“{enterprise.name}”一致。"))
    if not bank:
        faults.append(Fault("bank_name", "请填写开户银行，如“中国工商银行成都青羊支行”。"))
    if not _NUMBER.match(number):
        faults.append(Fault("account_number", "账号应为8至32位数字，请核对。"))
    if code and not _BANK_CODE.match(code):
        faults.append(Fault("bank_code", "联行号应为12位数字，不清楚可以不填。"))
    if faults:
        raise Invalid(faults)
    waiting = PayeeAccount.objects.filter(enterprise=enterprise, state=AccountState.PROPOSED)
    waiting.update(state=AccountState.RETIRED)
    account = PayeeAccount.objects.create(
        enterprise=enterprise,
        account_name=name,
        bank_name=bank,
        bank_code=code,
        account_number=number,
        state=AccountState.PROPOSED,
        proposed_by_id=person(actor),
        proposed_at=now,
    )
    if examined is not None:
        kept = stored.keep(examined=examined, now=now)
        AccountProof.objects.create(account=account, stored=kept, name=examined.name)
    bounced = lock_payables(Payable.objects.filter(enterprise=enterprise, state=PayableState.BOUNCED))
    move_payables(
        payables=bounced, action=PayableAction.MEND, role=Role.ENTERPRISE, actor=actor, now=now, note="企业更正收款账户"
    )
    outbox.emit(
        topic="payee.proposed",
        payload={"account": account.pk, "enterprise": enterprise.pk, "payables": [p.pk for p in bounced]},
        now=now,
        dedupe_key=f"payee.proposed:{account.pk}",
    )
    return account


@transaction.atomic
def check_account(*, account_id: int, actor: Actor, now: datetime, accept: bool, note: str = "") -> PayeeAccount:
    """A second person checks a proposed account against its proof.

    Accepted, it becomes the enterprise's account, and what was bounced or held for its account goes with the
    next cut-off. Refused (a `note` must say why), bounced payables wait for another account.
    """
    enterprise_id = PayeeAccount.objects.values_list("enterprise_id", flat=True).get(pk=account_id)
    enterprise = Enterprise.objects.select_for_update().get(pk=enterprise_id)
    account = PayeeAccount.objects.select_for_update().get(pk=account_id)
    role = require_role(actor=actor, roles=[Role.FINANCE_CHECKER])
    if account.state != AccountState.PROPOSED:
        raise invalid("account", f"该账户现为“{account.get_state_display()}”，不能再核对。请刷新页面。")
    if account.proposed_by_id == person(actor) or actor.acts_for(enterprise.pk):
        raise Conflict("登记账户的人员及该企业人员不能核对该账户，请由其他人员核对。")
    interests.keep_away(actor=actor, enterprise=enterprise, subject="该账户的核对")
    _brought_no_bounce(enterprise=enterprise, actor=actor)
    if not accept and not note.strip():
        raise invalid("note", "请填写核对不通过的原因。")
    if accept:
        PayeeAccount.objects.filter(enterprise=enterprise, state=AccountState.CHECKED).update(
            state=AccountState.RETIRED
        )
    account.state = AccountState.CHECKED if accept else AccountState.REFUSED
    account.checked_by_id, account.checked_at, account.note = person(actor), now, note[:200]
    account.save(update_fields=["state", "checked_by", "checked_at", "note"])
    if accept:
        # What bounced while the new account waited to be checked is mended by it too.
        late = lock_payables(
            Payable.objects.filter(enterprise=enterprise, state=PayableState.BOUNCED).exclude(
                account_number=account.account_number
            )
        )
        proposer = Actor(user_id=account.proposed_by_id)
        move_payables(payables=late, action=PayableAction.MEND, role=Role.ENTERPRISE, actor=proposer, now=now)
    mended = lock_payables(Payable.objects.filter(enterprise=enterprise, state=PayableState.MENDED))
    if not accept:
        move_payables(payables=mended, action=PayableAction.REFUSE_ACCOUNT, role=role, actor=actor, now=now, note=note)
    else:
        _use(account=account, mended=mended, actor=actor, now=now)
    outbox.emit(
        topic="payee.checked",
        payload={"account": account.pk, "enterprise": enterprise.pk, "accepted": accept},
        now=now,
        dedupe_key=f"payee.checked:{account.pk}",
    )
    return account


def _brought_no_bounce(*, enterprise: Enterprise, actor: Actor) -> None:
    """Who brought the file by which a payment bounced does not check the account to which it is paid again: by a file
    that no bank wrote, one person and an enterprise would be paid twice.
    """
    brought = ReturnLine.objects.filter(
        file__received_by_id=person(actor),
        status=LineStatus.POSTED,
        result=ReturnResult.BOUNCED,
        attempt__payable__enterprise=enterprise,
        attempt__payable__state__in=[PayableState.BOUNCED.value, PayableState.MENDED.value],
    )
    line = brought.select_related("file").defer("file__content").first()
    if line is not None:
        raise Conflict(f"该企业款项的退票回单“{line.file.name}”由您导入，账户须由其他人员核对。")


def _payee(account: PayeeAccount) -> dict[str, str]:
    return {
        "payee_name": account.account_name,
        "bank_name": account.bank_name,
        "bank_code": account.bank_code,
        "account_number": account.account_number,
    }


def _use(*, account: PayeeAccount, mended: list[Payable], actor: Actor, now: datetime) -> None:
    Payable.objects.filter(enterprise=account.enterprise_id, state__in=[s.value for s in _CHANGEABLE]).update(
        **_payee(account)
    )
    held = lock_payables(
        Payable.objects.filter(
            enterprise=account.enterprise_id, state=PayableState.HELD, hold_kind=HoldKind.ACCOUNT.value
        )
    )
    role = Role.FINANCE_CHECKER
    month = promised_month(day=day_of(now))
    move_payables(
        payables=mended, action=PayableAction.CHECK_ACCOUNT, role=role, actor=actor, now=now, note="账户核对通过"
    )
    move_payables(payables=held, action=PayableAction.RELEASE, role=role, actor=actor, now=now, note="账户核对通过")
    slip(payables=[*mended, *held], month=month, reason="收款账户已更正并核对")
    tell(event="released", payables=[*mended, *held], now=now, key=f"account:{account.pk}")
