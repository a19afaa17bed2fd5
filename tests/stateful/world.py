"""One district for all examples of the machine: built once, each example rolled back, the database left as it was.

What is costly and says nothing about money is done beforehand: items are published, and applications submitted, some
for each enterprise and item. An example takes them one after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from disbursement.domain.actors import Actor
from disbursement.domain.workflow import Role
from disbursement.models import Application, Award
from disbursement.services.award import awards
from matching.models import Enterprise, PolicyVersion
from matching.registry.models import BudgetLine
from tests.factories import disbursement as people
from tests.factories import money
from tests.restored import restored

TERMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("33333.33", {}),
    ("100000.01", {"instalments": ["50", "50"]}),
    ("70000", {"shortfall": "pro_rata"}),
    ("90000.5", {"shortfall": "defer"}),
    ("60000", {"cap_per_year": "150000"}),
)
ENTERPRISES, EACH = 4, 2


@dataclass
class World:
    """Who and what there is. `applications` waits by (item, enterprise)."""

    finance: money.Finance
    reviewer: Actor
    line: BudgetLine
    items: list[PolicyVersion]
    enterprises: list[Enterprise]
    agents: list[Actor]
    applications: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    @classmethod
    def make(cls) -> World:
        line = people.budget_line(code="machine", ceiling="400000")
        enterprises = [people.applicant() for _ in range(ENTERPRISES)]
        made = cls(
            finance=money.Finance(),
            reviewer=people.staff(Role.SECOND_REVIEWER),
            line=line,
            items=[money.version(amount, line="machine", **terms) for amount, terms in TERMS],
            enterprises=enterprises,
            agents=[people.agent(enterprise) for enterprise in enterprises],
        )
        for item_no, item in enumerate(made.items):
            for enterprise_no, enterprise in enumerate(enterprises):
                # Where an item has no yearly cap, the second is refused: that, too, is to be tried.
                waiting = [money.application(enterprise=enterprise, item=item).pk for _ in range(EACH)]
                made.applications[item_no, enterprise_no] = waiting
        return made

    def grant(self, *, application_id: int, now: Any) -> Award:
        with transaction.atomic():
            application = Application.objects.select_for_update().get(pk=application_id)
            return awards.grant(
                application=application, judgement=application.judgements.latest("id"), actor=self.reviewer, now=now
            )


@contextmanager
def standing() -> Iterator[World]:
    """A district, and afterwards the database as it was."""
    with restored(World.make) as made:
        yield made


def rows(sql: str) -> list[tuple[Any, ...]]:
    """What the database says, without a model between."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def cents(amount: object) -> int:
    """An amount in cents, whatever a sum of the database gives it as."""
    return round(float(str(amount or 0)) * 100)


def trace() -> list[tuple[Any, ...]]:
    """What a refused deed must leave as it was."""
    return rows(
        "SELECT (SELECT COUNT(*) FROM disbursement_ledgertransfer), (SELECT COUNT(*) FROM disbursement_statechange),"
        " (SELECT COUNT(*) FROM registry_outboxmessage), (SELECT COUNT(*) FROM disbursement_payeeaccount),"
        f" {_all('disbursement_payable', 'state', 'pay_month', 'amount')},"
        f" {_all('disbursement_batch', 'state', 'count', 'total')},"
        f" {_all('disbursement_paymentattempt', 'outcome', 'contradicted')}"
    )


def _all(table: str, *columns: str) -> str:
    """These columns of every row, as one text."""
    row = " || ' ' || ".join(f"CAST({column} AS text)" for column in columns)
    joined = f"GROUP_CONCAT({row})" if connection.vendor == "sqlite" else f"STRING_AGG({row}, ',' ORDER BY id)"
    return f"(SELECT {joined} FROM {table})"


def broken_books() -> Iterator[str]:
    """What is wrong with the books, by statements that share nothing with the product's own reconciliation."""
    balances = {kind: cents(amount) for kind, amount in rows("SELECT kind, balance FROM disbursement_ledgeraccount")}
    if sum(balances.values()):
        yield f"balances do not add up to nothing: {balances}"
    moved: dict[str, int] = dict.fromkeys(balances, 0)
    lies: dict[int, dict[str, int]] = {}
    for payable, debit, credit, amount in rows(
        "SELECT t.payable_id, d.kind, c.kind, t.amount FROM disbursement_ledgertransfer t"
        " JOIN disbursement_ledgeraccount d ON d.id = t.debit_id"
        " JOIN disbursement_ledgeraccount c ON c.id = t.credit_id"
    ):
        value = cents(amount)
        moved[debit] -= value
        moved[credit] += value
        if payable is not None:
            place = lies.setdefault(payable, {})
            place[debit] = place.get(debit, 0) - value
            place[credit] = place.get(credit, 0) + value
    if moved != balances:
        yield f"balances {balances} are not what was moved: {moved}"
    if any(value < 0 for kind, value in balances.items() if kind != "source"):
        yield f"an account is overdrawn: {balances}"
    for pk, state, amount in rows("SELECT id, state, amount FROM disbursement_payable"):
        where = {kind: value for kind, value in lies.get(pk, {}).items() if value > 0}
        holder = WHERE[state]
        if where != ({} if holder is None else {holder: cents(amount)}):
            yield f"payable {pk} is {state}, its money lies {where}"


# Where the money of a payable lies in each state, written down here once more.
WHERE: dict[str, str | None] = {
    "awaiting": None,
    "reserved": "reserved",
    "scheduled": "reserved",
    "held": "reserved",
    "bounced": "reserved",
    "mended": "reserved",
    "sealed": "committed",
    "paid": "paid",
    "settled": "paid",
    "clawback": "receivable",
    # These have given their money back to the line that it came from.
    "refunded": None,
    "clawed_back": None,
    "cancelled": None,
}


def torn() -> dict[int, tuple[bool, Any]]:
    """Bounced payments of which the bank says, in a line posted or again, that it paid them on a later day: whether
    each is marked, and that day. One marked without it stands here with no day.
    """
    found = rows(
        "SELECT a.id, a.contradicted, MAX(CASE l.result WHEN 'paid' THEN l.occurred_on END),"
        " MIN(CASE l.result WHEN 'bounced' THEN l.occurred_on END)"
        " FROM disbursement_paymentattempt a JOIN disbursement_returnline l ON l.attempt_id = a.id"
        " WHERE a.outcome = 'bounced' AND l.status <> 'exception' GROUP BY a.id, a.contradicted"
    )
    later = {pk: (bool(marked), paid if paid and paid > bounced else None) for pk, marked, paid, bounced in found}
    return {pk: told for pk, told in later.items() if any(told)}


def twice_paid() -> list[tuple[Any, ...]]:
    """Payables with more than one payment alive, or with a posting that stands twice."""
    return rows(
        "SELECT payable_id, 'alive' FROM disbursement_paymentattempt WHERE outcome IN ('pending', 'paid')"
        " GROUP BY payable_id HAVING COUNT(*) > 1 UNION ALL"
        " SELECT payable_id, 'posted' FROM disbursement_ledgertransfer WHERE payable_id IS NOT NULL GROUP BY payable_id"
        " HAVING SUM(CASE kind WHEN 'pay' THEN 1 WHEN 'unpay' THEN -1 ELSE 0 END) NOT IN (0, 1)"
        " OR SUM(CASE kind WHEN 'commit' THEN 1 WHEN 'uncommit' THEN -1 ELSE 0 END) NOT IN (0, 1)"
        " OR SUM(CASE kind WHEN 'reserve' THEN 1 WHEN 'unreserve' THEN -1 ELSE 0 END) NOT IN (0, 1)"
    )
