"""What one of many workers does to one budget line: approve, hold, release, cancel, refund, post the bank's answers.

Each worker is a process with a connection of its own and dice of its own. A refusal is an answer like any other; what a
worker did is told in the end, so that the books can be explained from what the workers say alone.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from disbursement.domain.actors import Actor
from disbursement.domain.errors import REFUSALS
from disbursement.models import Application, Batch, Payable
from disbursement.services.award import awards
from disbursement.services.payment import payments, returns
from tests.factories import money
from tests.factories.disbursement import at

REVIEWING = {"approve": 50, "hold": 25, "release": 15, "cancel": 10}
PAYING = {"approve": 30, "hold": 20, "release": 15, "cancel": 10, "refund": 10, "answer": 15}


@dataclass(frozen=True, slots=True)
class People:
    reviewer: Actor
    checker: Actor
    approver: Actor


@dataclass
class Told:
    """What a worker did: how often, and how much money (元) it moved by each kind of deed."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    moved: dict[str, Decimal] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Told) -> None:
        self.done += other.done
        self.refused += other.refused
        for kind, amount in other.moved.items():
            self.moved[kind] = self.moved.get(kind, Decimal(0)) + amount
        self.failures += other.failures


def result_of(line_id: str, seed: int) -> str:
    """What the bank says of a line, whoever brings the file: paid mostly, a fifth bounced."""
    return "退票" if hashlib.sha256(f"{seed}:{line_id}".encode()).digest()[0] < 51 else "成功"


def kinds_of_deeds(*, seed: int, number: int, deeds: int, mix: dict[str, int]) -> list[str]:
    """What one worker will try, in this order: known before anybody begins, so that the line can be made too short."""
    return random.Random(f"{seed}:{number}:{len(mix)}:kinds").choices(list(mix), list(mix.values()), k=deeds)


@dataclass
class Worker:
    """One of them, in its own process."""

    number: int
    seed: int
    people: People
    applications: Sequence[int]
    now: datetime
    told: Told = field(default_factory=Told)

    def work(self, *, deeds: int, mix: dict[str, int]) -> None:
        self.dice = random.Random(f"{self.seed}:{self.number}:{len(mix)}")
        self.left = list(self.applications)
        for kind in kinds_of_deeds(seed=self.seed, number=self.number, deeds=deeds, mix=mix):
            try:
                amount = getattr(self, kind)()
            except REFUSALS as refusal:
                self.told.refused[kind if str(refusal).strip() else "without a word"] += 1
            else:
                self.told.done[kind] += amount is not None
                self.told.moved[kind] = self.told.moved.get(kind, Decimal(0)) + (amount or Decimal(0))

    def approve(self) -> Decimal | None:
        if not self.left:
            return None
        with transaction.atomic():
            application = Application.objects.select_for_update().get(pk=self.left.pop())
            award = awards.grant(
                application=application,
                judgement=application.judgements.latest("id"),
                actor=self.people.reviewer,
                now=self.now,
            )
        return award.amount

    def hold(self) -> Decimal | None:
        pk = self._one("reserved")
        return pk and payments.hold(payable_id=pk, actor=self.people.checker, now=self.now, reason="待查").amount

    def release(self) -> Decimal | None:
        pk = self._one("held")
        return pk and payments.release(payable_id=pk, actor=self.people.checker, now=self.now).amount

    def cancel(self) -> Decimal | None:
        pk = self._one("held", "bounced")
        return pk and payments.cancel(payable_id=pk, actor=self.people.approver, now=self.now, reason="放弃").amount

    def refund(self) -> Decimal | None:
        pk = self._one("paid", "settled")
        if not pk:
            return None
        return payments.refund(
            payable_id=pk,
            actor=self.people.checker,
            now=self.now,
            received_on=self.now.date(),
            reason="多领",
            reference=f"CR{pk}",
        ).amount

    def answer(self) -> Decimal | None:
        """A file of the bank's over some lines, which others may bring, too."""
        batch = Batch.objects.exclude(sent_at=None).order_by("pk").first()
        if batch is None:
            return None
        lines = list(money.lines(batch))
        chosen = sorted(self.dice.sample(range(len(lines)), min(10, len(lines))))
        told = {batch.line_id(lines[n].line_no): f"{lines[n].amount:.2f}" for n in chosen}
        content = money.return_file({pk: (amount, result_of(pk, self.seed)) for pk, amount in told.items()})
        returns.import_return(name=f"{self.number}-{self.dice.random()}.csv", content=content, now=self.now)
        return Decimal(0)

    def _one(self, *states: str) -> Any:
        """Some payable that was in one of the states a moment ago; another worker may have it by now."""
        found = Payable.objects.filter(state__in=states).order_by("pk").values_list("pk", flat=True)
        place = self.dice.randrange(max(1, found.count()))
        # There may be fewer by now.
        return next(iter(found[place : place + 1]), None)


def answer_the_rest(*, batch: Batch, seed: int) -> None:
    """The bank's last file: every line, whatever was told before."""
    told = {batch.line_id(line.line_no or 0): f"{line.amount:.2f}" for line in money.lines(batch)}
    content = money.return_file({pk: (amount, result_of(pk, seed)) for pk, amount in told.items()})
    returns.import_return(name="all.csv", content=content, now=at("2026-03-26"))


def clone_applications(*, template: Application, enterprises: Sequence[int], number: int) -> list[int]:
    """So many submitted applications like one that went the whole way, with its judgement; each of another number.

    The services would take minutes. The guard that wants an application to begin as a draft is lifted for the moment.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE disbursement_application DISABLE TRIGGER USER")
        cursor.execute(
            _cloned(
                "disbursement_application",
                {"number": "%s || lpad(n::text, 6, '0')", "enterprise_id": "(%s::bigint[])[n %% %s + 1]"},
            )
            + " FROM disbursement_application t, generate_series(1, %s) n WHERE t.id = %s RETURNING id",
            ["2025-", list(enterprises), len(enterprises), number, template.pk],
        )
        made = [row[0] for row in cursor.fetchall()]
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE disbursement_application ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(
            _cloned("disbursement_judgement", {"application_id": "a.id"})
            + " FROM disbursement_judgement t, unnest(%s::bigint[]) a(id) WHERE t.application_id = %s",
            [made, template.pk],
        )
    return made


def _cloned(table: str, changed: dict[str, str]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'"
            " AND is_generated = 'NEVER' ORDER BY ordinal_position",
            [table],
        )
        columns = [row[0] for row in cursor.fetchall()]
    # In the order of the columns: the values of those that change are given in that order, too.
    values = [changed.get(name, f"t.{name}") for name in columns]
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
