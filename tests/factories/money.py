"""Granted awards without the whole review before them, finance people, and a month's run by the services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.workflow import Role
from disbursement.models import (
    Application,
    AttemptOutcome,
    Award,
    Batch,
    Payable,
    PayeeAccount,
    PaymentAttempt,
)
from disbursement.services.application import drafts
from disbursement.services.award import awards
from disbursement.services.month import batches, cycles
from disbursement.services.payment import returns, sealing
from disbursement.treasury.formats.bank_return_csv import write_csv
from matching.models import Enterprise, PolicyVersion
from matching.registry.models import BudgetLine
from tests.factories import disbursement as people
from tests.factories.disbursement import at

MONTH = date(2026, 3, 1)
APPROVED = at("2026-03-10")
CUT = at("2026-03-20", 17)
PAID_ON = date(2026, 3, 24)
SUBMITTED = at("2026-03-05")


def version(amount: str = "100000", *, code: str = "", line: str = "innovation", **award: Any) -> PolicyVersion:
    """A published item that pays a fixed amount."""
    return people.item(
        code=code, budget_line=line, award={"rules": [{"fixed": amount}], **award}, criteria={"all": []}, materials=[]
    )


def application(*, enterprise: Enterprise | None = None, item: PolicyVersion | None = None) -> Application:
    """A submitted application: what follows until its approval says nothing about money."""
    item = item or version()
    enterprise = enterprise or people.applicant()
    agent = people.agent(enterprise)
    draft = drafts.create_draft(item_id=item.item_id, enterprise_id=enterprise.pk, actor=agent, now=SUBMITTED)
    drafts.save_draft(
        application_id=draft.pk, actor=agent, now=SUBMITTED, form={}, contact_name="张三", contact_phone="028-00000000"
    )
    return drafts.submit(application_id=draft.pk, actor=agent, now=SUBMITTED)


def granted(
    amount: str = "100000.00",
    *,
    enterprise: Enterprise | None = None,
    item: PolicyVersion | None = None,
    now: datetime = APPROVED,
    **options: Any,
) -> Award:
    """An award of this computed amount, with its payables and reservations."""
    people.budget_line()
    made = application(enterprise=enterprise, item=item or version(amount))
    with transaction.atomic():
        return awards.grant(
            application=made,
            judgement=made.judgements.latest("id"),
            actor=people.staff(Role.SECOND_REVIEWER),
            now=now,
            **options,
        )


def payable(amount: str = "100000.00", **options: Any) -> Payable:
    return granted(amount, **options).payables.get()


def payables(number: int, amount: str = "100000.00", *, item: PolicyVersion | None = None) -> list[Payable]:
    """That many payables of as many enterprises."""
    item = item or version(amount)
    return [payable(amount, item=item) for _ in range(number)]


@dataclass
class Finance:
    """The people of the payment office."""

    maker: Actor = field(default_factory=lambda: people.staff(Role.FINANCE_MAKER))
    checker: Actor = field(default_factory=lambda: people.staff(Role.FINANCE_CHECKER))
    approver: Actor = field(default_factory=lambda: people.staff(Role.FINANCE_APPROVER))
    second_approver: Actor = field(default_factory=lambda: people.staff(Role.FINANCE_APPROVER))


def cut(*, month: date = MONTH, now: datetime = CUT) -> list[Batch]:
    """The batches of a month after its cut-off, without dissolved ones."""
    return [b for b in cycles.cut_off(month=month, now=now).batches if b.state != "dissolved"]


def signed(batch: Batch, finance: Finance, *, now: datetime = CUT, file_format: str | None = None) -> Batch:
    """Maker, checker and as many approvers as the amount asks for."""
    made = batches.make(batch_id=batch.pk, actor=finance.maker, now=now, file_format=file_format)
    digest = made.file_sha256
    batches.verify(batch_id=batch.pk, actor=finance.checker, now=now, seen_sha256=digest)
    done = batches.approve(batch_id=batch.pk, actor=finance.approver, now=now, seen_sha256=digest)
    if done.state != "approved":
        done = batches.approve(batch_id=batch.pk, actor=finance.second_approver, now=now, seen_sha256=digest)
    return done


def sent(batch: Batch, finance: Finance, *, now: datetime = CUT, file_format: str | None = None) -> Batch:
    signed(batch, finance, now=now, file_format=file_format)
    sealing.seal(batch_id=batch.pk, now=now)
    return sealing.send(batch_id=batch.pk, now=now)


def answer(
    batch: Batch, *, bounced: Iterable[int] = (), on: date = PAID_ON, only: Iterable[int] | None = None
) -> bytes:
    """The bank's return file: every line paid, save those whose numbers are given; `only` some of the
    lines.
    """
    bounced = set(bounced)
    return return_file(
        {
            batch.line_id(attempt.line_no or 0): (
                f"{attempt.amount:.2f}",
                "退票" if attempt.line_no in bounced else "成功",
            )
            for attempt in lines(batch)
            if only is None or attempt.line_no in set(only)
        },
        on=on,
    )


def lines(batch: Batch) -> list[Any]:
    return list(batch.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN).order_by("line_no"))


def return_file(results: Mapping[str, tuple[str, str]], *, on: date = PAID_ON) -> bytes:
    """A return file from line id → (amount, 成功|退票|退款), with the account that each line was paid to."""
    reason = {"退票": "账号户名不符"}
    accounts = accounts_paid(results)
    return write_csv(
        [line_id, accounts[line_id], amount, result, on.isoformat(), f"B{index:04d}", reason.get(result, "")]
        for index, (line_id, (amount, result)) in enumerate(results.items(), start=1)
    )


def account_paid(line_id: str) -> str:
    """The account that a line of ours was paid to; somebody else's for a stranger."""
    return accounts_paid([line_id])[line_id]


def accounts_paid(line_ids: Iterable[str]) -> dict[str, str]:
    """The same for many, in one query."""
    ids = list(line_ids)
    attempts = PaymentAttempt.objects.filter(batch__number__in={line_id.split("-")[0] for line_id in ids})
    found = {
        f"{number}-{line_no:06d}": account
        for number, line_no, account in attempts.values_list("batch__number", "line_no", "account_number")
        if line_no is not None
    }
    return {line_id: found.get(line_id, "6222000000000000") for line_id in ids}


def receive(content: bytes, *, name: str = "return.csv", now: datetime | None = None) -> returns.ReturnReport:
    return returns.import_return(name=name, content=content, now=now or at("2026-03-25"))


def paid(batch: Batch, finance: Finance, *, bounced: Iterable[int] = ()) -> Batch:
    """Sent and answered."""
    sent(batch, finance)
    receive(answer(batch, bounced=bounced), name=f"{batch.number}.csv")
    batch.refresh_from_db()
    return batch


def account_of(enterprise: Enterprise) -> PayeeAccount:
    return PayeeAccount.objects.get(enterprise=enterprise, state="checked")


def line() -> BudgetLine:
    return people.budget_line()
