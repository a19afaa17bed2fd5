"""The accounts that enterprises are paid to: entered by one person, checked by another, in use until the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from disbursement.audit.findings import Finding, Scope
from disbursement.audit.people import People
from disbursement.models import AccountState, AttemptOutcome, Payable, PayeeAccount, PaymentAttempt

REMEDY = "请立即暂缓该企业的款项，向企业和开户银行核实账户，由登记人以外的人员重新核对。"
Payee = tuple[str, str, str, str]


def check_accounts(*, scope: Scope, people: People, counts: Counter[str]) -> Iterator[Finding]:
    """Every account that was paid to, or waits to be, was checked by somebody else than entered it."""
    query = PayeeAccount.objects.order_by("pk").select_related("enterprise")
    if scope.enterprises is not None:
        query = query.filter(enterprise__in=scope.enterprises)
    for account in query.iterator(chunk_size=1000):
        counts["accounts"] += 1
        place = f"{account.enterprise} 收款账户 {account.masked}"
        if account.account_name != account.enterprise.name and account.state == "checked":
            # A renamed enterprise proposes its account anew; until then it is not paid to.
            continue
        if people.was_stranger(user_id=account.proposed_by_id, enterprise_id=account.enterprise_id):
            yield Finding("accounts", place, f"登记人{people.name(account.proposed_by_id)}从未获该企业授权。", REMEDY)
        if account.checked_by_id is None:
            continue
        who = people.name(account.checked_by_id)
        if account.checked_by_id == account.proposed_by_id:
            yield Finding("accounts", place, f"登记人{who}自己核对了账户。", REMEDY)
        if people.lacked_role(
            user_id=account.checked_by_id, role="finance_checker", table="disbursement_payeeaccount", pk=account.pk
        ):
            yield Finding("accounts", place, f"核对人{who}当时没有财务复核职责。", REMEDY)
    yield from _out_of_use(scope)
    yield from _used_accounts(scope)


def _out_of_use(scope: Scope) -> Iterator[Finding]:
    """An account that was checked is given up for the next one that is checked, and for nothing else."""
    query = PayeeAccount.objects.filter(
        checked_at__isnull=False, state__in=[AccountState.CHECKED, AccountState.RETIRED]
    ).select_related("enterprise")
    if scope.enterprises is not None:
        query = query.filter(enterprise__in=scope.enterprises)
    enterprise = 0
    for account in query.order_by("enterprise_id", "-checked_at", "-pk").iterator(chunk_size=1000):
        if account.enterprise_id != enterprise and account.state != AccountState.CHECKED:
            place = f"{account.enterprise} 收款账户 {account.masked}"
            yield Finding("accounts", place, "核对过的账户已停用，但没有核对过的新账户接替。", REMEDY)
        enterprise = account.enterprise_id


def _used_accounts(scope: Scope) -> Iterator[Finding]:
    """The payee of each line that left the house is one of the enterprise's accounts, checked before that."""
    query = PaymentAttempt.objects.exclude(outcome=AttemptOutcome.WITHDRAWN).select_related(
        "payable__application", "batch"
    )
    if scope.applications is not None:
        query = query.filter(payable__application__in=scope.applications)
    yield from _payees(scope)
    enterprise, known = 0, {}
    for attempt in query.order_by("payable__enterprise_id", "pk").iterator(chunk_size=1000):
        if attempt.payable.enterprise_id != enterprise:
            enterprise = attempt.payable.enterprise_id
            accounts = PayeeAccount.objects.filter(enterprise_id=enterprise, checked_at__isnull=False)
            known = {
                (a.account_name, a.bank_name, a.bank_code, a.account_number): a.checked_at
                for a in accounts.exclude(state="refused")
            }
        since = known.get(payee_of(attempt))
        frozen = attempt.batch.frozen_at
        if since is None or (frozen is not None and since > frozen):
            place = f"申报 {attempt.payable.application.number} 批次 {attempt.batch.number}"
            yield Finding("accounts", place, "收款账户在列入批次时没有经过核对。", REMEDY)


def _payees(scope: Scope) -> Iterator[Finding]:
    """The payee of every payable is, or was, an account that the enterprise entered."""
    query = Payable.objects.select_related("application").order_by("enterprise_id", "pk")
    if scope.applications is not None:
        query = query.filter(application__in=scope.applications)
    enterprise: int = 0
    entered: set[Payee] = set()
    for payable in query.iterator(chunk_size=1000):
        if payable.enterprise_id != enterprise:
            enterprise = payable.enterprise_id
            rows = PayeeAccount.objects.filter(enterprise_id=enterprise)
            entered = set(rows.values_list("account_name", "bank_name", "bank_code", "account_number"))
        if payee_of(payable) not in entered:
            place = f"申报 {payable.application.number} 第{payable.number}期"
            yield Finding("accounts", place, "收款人不是该企业登记过的账户。", REMEDY)


def payee_of(row: Payable | PaymentAttempt) -> Payee:
    return row.payee_name, row.bank_name, row.bank_code, row.account_number
