"""State × action × role × who the person is, for payables and batches: each cell as the table says, or refused.

Cells are generated from the transition tables. What stands in no row, or is tried by somebody who holds the role in
another department, took part before in another role, has an interest or belongs to the enterprise, is refused with a
reason and leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import partial
from itertools import product
from typing import Any, TypeVar

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from disbursement.domain.actors import Actor
from disbursement.domain.errors import REFUSALS
from disbursement.domain.workflow import BATCH, PAYABLE, BatchAction, BatchState, PayableAction, PayableState, Role
from disbursement.models import Batch, BatchApproval, Participation, Payable, PayeeAccount, StateChange
from disbursement.services.month import batches
from disbursement.services.payment import payees, payments, reissues, sealing
from disbursement.services.review import interests
from matching.registry.models import OutboxMessage
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import at
from tests.restored import restored
from tests.rounds import first_round_only

pytestmark = pytest.mark.django_db
WHEN = at("2026-03-27")
ROLES = [role for role in Role if role is not Role.SYSTEM]
FINANCE = [Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER]
RELATIONS = ("newcomer", "elsewhere", "interested", "insider", "took part")
P, B = PayableState, BatchState


def in_role(role: Role, department_ids: list[int] | None = None, enterprise_ids: tuple[int, ...] = ()) -> Actor:
    roles = [] if role is Role.ENTERPRISE else [role]
    return Actor.of(user_id=people.user().pk, roles=roles, department_ids=department_ids, enterprise_ids=enterprise_ids)


def related(relation: str, role: Role, payable: Payable) -> Actor:
    """Somebody in the role who stands so to the payable's application and enterprise."""
    enterprise = payable.enterprise_id
    if role is Role.ENTERPRISE:
        return in_role(role, enterprise_ids=(enterprise if relation == "newcomer" else enterprise + 10_000,))
    if relation == "elsewhere":
        return in_role(role, department_ids=[base.department().pk + 10_000])
    actor = in_role(role, enterprise_ids=(enterprise,) if relation == "insider" else ())
    if relation == "interested":
        interests.declare(enterprise_id=enterprise, reason="任职", actor=actor, now=WHEN)
    if relation == "took part":
        assert actor.user_id is not None
        Participation.objects.create(
            application_id=payable.application_id, user_id=actor.user_id, role="reviewer", since=WHEN
        )
    return actor


def traces() -> tuple[int, ...]:
    """How much has been written: nothing more may be after a refusal."""
    return tuple(model.objects.count() for model in (StateChange, BatchApproval, OutboxMessage, PayeeAccount))


class Undo(Exception):
    """Takes a cell back."""


# Payables


def _account(payable: Payable) -> int:
    found = PayeeAccount.objects.filter(enterprise_id=payable.enterprise_id)
    return found.filter(state__in=["proposed", "checked"]).order_by("-id")[0].pk


def _propose(payable: Payable, actor: Actor) -> Any:
    return payees.propose_account(
        enterprise_id=payable.enterprise_id,
        account_name=payable.enterprise.name,
        bank_name="成都银行",
        account_number="622200001234567890",
        actor=actor,
        now=WHEN,
    )


def _reissue(payable: Payable, actor: Actor) -> Any:
    """Asked for by somebody whom nothing bars, decided by whoever tries."""
    asked = reissues.propose(
        payable_id=payable.pk, reason="代理行系统故障", actor=in_role(Role.FINANCE_MAKER), now=WHEN
    )
    return reissues.decide(reissue_id=asked.pk, approve=True, actor=actor, now=WHEN)


Q = PayableAction
DEEDS: dict[PayableAction, Callable[[Payable, Actor], Any]] = {
    Q.HOLD: lambda p, who: payments.hold(payable_id=p.pk, actor=who, now=WHEN, reason="待查"),
    Q.RELEASE: lambda p, who: payments.release(payable_id=p.pk, actor=who, now=WHEN),
    Q.CANCEL: lambda p, who: payments.cancel(payable_id=p.pk, actor=who, now=WHEN, reason="撤销"),
    Q.REFUND: lambda p, who: payments.refund(
        payable_id=p.pk, actor=who, now=WHEN, received_on=date(2026, 3, 27), reason="退回", reference="CR1"
    ),
    Q.CLAW_BACK: lambda p, who: payments.claw_back(
        payable_id=p.pk, actor=who, now=WHEN, reason="迁出", due_on=date(2026, 5, 1)
    ),
    Q.RECOVER: lambda p, who: payments.recover(payable_id=p.pk, actor=who, now=WHEN, reference="CR1"),
    Q.MEND: _propose,
    Q.REISSUE: _reissue,
    Q.CHECK_ACCOUNT: lambda p, who: payees.check_account(account_id=_account(p), actor=who, now=WHEN, accept=True),
    Q.REFUSE_ACCOUNT: lambda p, who: payees.check_account(
        account_id=_account(p), actor=who, now=WHEN, accept=False, note="户名不符"
    ),
}
# Roles of the table that have no service of their own for the deed: the machine's, and whoever revokes an application.
# The last of a demand is also recovered by whoever decides that it is set off.
BESIDE = {Q.CANCEL: {Role.SECOND_REVIEWER}, Q.RECOVER: {Role.FINANCE_APPROVER}}
# Checking an account is for the whole enterprise: who handled one of its applications may.
PAST_IS_NO_BAR = {Q.CHECK_ACCOUNT, Q.REFUSE_ACCOUNT}


def payable_in(state: PayableState) -> Payable:
    """A payable brought to a state by the services."""
    finance = money.Finance()
    if state is P.AWAITING:
        found = money.payable(item=money.version("100000", shortfall="pro_rata"))
        return Payable.objects.get(pk=found.pk)
    first, second = money.payables(2)
    one = first.pk
    if state in (P.RESERVED, P.HELD, P.CANCELLED):
        if state is P.HELD:
            payments.hold(payable_id=one, actor=finance.maker, now=WHEN, reason="待查")
        if state is P.CANCELLED:
            payments.cancel(payable_id=one, actor=finance.approver, now=WHEN, reason="撤销")
        return Payable.objects.get(pk=one)
    [batch] = money.cut()
    if state is P.SEALED:
        money.signed(batch, finance)
        sealing.seal(batch_id=batch.pk, now=money.CUT)
    elif state is not P.SCHEDULED:
        money.sent(batch, finance)
        mine = next(line for line in money.lines(batch) if line.payable_id == one).line_no
        bounced = [mine] if state in (P.BOUNCED, P.MENDED) else []
        money.receive(money.answer(batch, bounced=bounced, only=[mine] if state is P.PAID else None))
    _after(state, one, finance)
    assert second.pk
    found = Payable.objects.get(pk=one)
    assert found.state == state
    return found


def _after(state: PayableState, one: int, finance: money.Finance) -> None:
    payable = Payable.objects.select_related("enterprise").get(pk=one)
    if state is P.MENDED:
        _propose(payable, people.agent(payable.enterprise))
    if state is P.REFUNDED:
        DEEDS[Q.REFUND](payable, finance.checker)
    if state in (P.CLAWBACK, P.CLAWED_BACK):
        DEEDS[Q.CLAW_BACK](payable, finance.approver)
    if state is P.CLAWED_BACK:
        DEEDS[Q.RECOVER](payable, finance.checker)


@dataclass
class Cell:
    """What became of one try."""

    name: str
    wanted: str | None
    state: str = ""
    refusal: str = ""
    written: bool = field(default=False)

    @property
    def is_right(self) -> bool:
        if self.wanted is not None:
            return self.state == self.wanted and not self.refusal
        return not self.state or not self.written


def try_payable(payable: Payable, action: PayableAction, role: Role, relation: str) -> Cell:
    wanted = payable_target(payable, action, role, relation)
    cell = Cell(f"{payable.state} {action} {role} {relation}", wanted)
    try:
        with transaction.atomic():
            actor = related(relation, role, payable)
            before, frozen = traces(), _row(payable)
            try:
                with transaction.atomic():
                    DEEDS[action](payable, actor)
            except REFUSALS as refusal:
                cell.refusal = str(refusal)
                cell.written = traces() != before or _row(payable) != frozen
            cell.state = Payable.objects.get(pk=payable.pk).state
            if cell.state == payable.state:
                cell.state = ""
            raise Undo
    except Undo:
        return cell


def payable_target(payable: Payable, action: PayableAction, role: Role, relation: str) -> str | None:
    row = next((r for r in PAYABLE if (r.source, r.action) == (payable.state, action)), None)
    if action is Q.MEND and relation == "insider" and role is not Role.ENTERPRISE:
        role, relation = Role.ENTERPRISE, "newcomer"  # whatever else they are, they act for the enterprise
    if row is None or role not in row.roles - BESIDE.get(action, set()):
        return None
    barred = relation != "newcomer" and not (relation == "took part" and action in PAST_IS_NO_BAR)
    return None if barred else row.target.value


def _row(payable: Payable) -> dict[str, Any]:
    return dict(Payable.objects.filter(pk=payable.pk).values().get())


# What a table gives is tried by the first share; of what it does not give each tries every third cell, in each state a
# different one.
SHARES = 3
in_shares = pytest.mark.parametrize(
    "share", [0, *(pytest.param(share, marks=[pytest.mark.slow, first_round_only]) for share in range(1, SHARES))]
)
Tried = TypeVar("Tried")


def of_share(share: int, cells: Iterable[Tried], *, state: StrEnum, is_given: Callable[[Tried], bool]) -> list[Tried]:
    cells = list(cells)
    others = [cell for cell in cells if not is_given(cell)]
    mine = others[(share + list(type(state)).index(state)) % SHARES :: SHARES]
    return [*mine, *(cell for cell in cells if share == 0 and is_given(cell))]


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Any]:
    """A payable or a batch in a state, for the tests of this state; every other test here needs no database."""
    make, state = request.param
    with django_db_blocker.unblock(), restored(partial(make, state), name=(make, state)) as found:
        assert found.state == state
        yield found


@pytest.mark.parametrize("made", [(payable_in, state) for state in P], indirect=True, ids=list(P))
@in_shares
def test_each_cell_of_a_payables_state_does_what_the_table_says(made: Payable, share: int) -> None:
    payable = Payable.objects.select_related("enterprise").get(pk=made.pk)
    state = PayableState(payable.state)
    cells = [
        try_payable(payable, action, role, relation)
        for action, role in of_share(
            share, product(DEEDS, ROLES), state=state, is_given=lambda cell: _gives(PAYABLE, state, *cell)
        )
        for relation in _relations(PAYABLE, state, action, role)
    ]
    wrong = [cell for cell in cells if not cell.is_right]
    assert wrong == []
    silent = [cell for cell in cells if cell.wanted is None and not cell.refusal.strip() and not _is_harmless(cell)]
    assert silent == []


def _gives(table: Any, state: Any, action: Any, role: Role) -> bool:
    row = next((found for found in table if (found.source, found.action) == (state, action)), None)
    return row is not None and role in row.roles


def _relations(table: Any, state: Any, action: Any, role: Role) -> tuple[str, ...]:
    """Who the person may be: everybody where the table lets the role do it, a newcomer where nobody of it may."""
    return RELATIONS if _gives(table, state, action, role) else RELATIONS[:1]


def _is_harmless(cell: Cell) -> bool:
    """An agent may enter a new account at any time: it moves only what was bounced."""
    _state, action, role, relation = cell.name.split(" ", 3)
    return action == Q.MEND and relation == ("newcomer" if role == Role.ENTERPRISE else "insider")


def test_every_action_that_a_person_takes_on_a_payable_has_its_cell() -> None:
    by_people = {row.action for row in PAYABLE if row.roles - {Role.SYSTEM}}
    # A contradiction of the bank is answered in the test of returns, what is set off in that of recoveries; a batch is
    # dissolved in the matrix of batches.
    assert by_people - set(DEEDS) == {Q.CONFIRM_PAID, Q.UNSCHEDULE, Q.SET_OFF}


# Batches

D = BatchAction
BATCH_DEEDS: dict[BatchAction, Callable[[Batch, Actor], Any]] = {
    D.MAKE: lambda b, who: batches.make(batch_id=b.pk, actor=who, now=WHEN),
    D.VERIFY: lambda b, who: batches.verify(batch_id=b.pk, actor=who, now=WHEN, seen_sha256=b.file_sha256),
    D.APPROVE: lambda b, who: batches.approve(batch_id=b.pk, actor=who, now=WHEN, seen_sha256=b.file_sha256),
    D.SEND_BACK: lambda b, who: batches.send_back(batch_id=b.pk, actor=who, now=WHEN, reason="核对有误"),
    D.DISSOLVE: lambda b, who: batches.dissolve(batch_id=b.pk, actor=who, now=WHEN, reason="下月再付"),
}
# Assembling and frozen last for the length of a transaction each.
BATCH_STATES = [state for state in B if state not in (B.ASSEMBLING, B.FROZEN)]


def batch_in(state: BatchState) -> Batch:
    """A batch of two lines brought to a state by the services."""
    finance = money.Finance()
    money.payables(2)
    [batch] = money.cut()
    steps: list[Callable[[], Any]] = []
    if state is B.DISSOLVED:
        steps = [lambda: batches.dissolve(batch_id=batch.pk, actor=finance.approver, now=money.CUT, reason="下月")]
    elif state in (B.MADE, B.VERIFIED):
        steps.append(lambda: batches.make(batch_id=batch.pk, actor=finance.maker, now=money.CUT))
        if state is B.VERIFIED:
            steps.append(
                lambda: batches.verify(
                    batch_id=batch.pk,
                    actor=finance.checker,
                    now=money.CUT,
                    seen_sha256=Batch.objects.get(pk=batch.pk).file_sha256,
                )
            )
    elif state is B.APPROVED:
        steps = [lambda: money.signed(batch, finance)]
    elif state is B.SEALED:
        steps = [lambda: money.signed(batch, finance), lambda: sealing.seal(batch_id=batch.pk, now=money.CUT)]
    elif state is not B.CHECKED:
        steps = [lambda: money.sent(batch, finance)]
        if state is B.ACKNOWLEDGED:
            steps.append(lambda: sealing.acknowledge(batch_id=batch.pk, now=money.CUT, reference="1"))
        if state is B.RECONCILED:
            stranger = money.return_file({f"{batch.number}-000099": ("1.00", "成功")})
            steps.append(lambda: money.receive(stranger, name="stranger.csv"))
        if state in (B.RECONCILED, B.CLOSED):
            steps.append(lambda: money.receive(money.answer(batch)))
    for step in steps:
        step()
    found = Batch.objects.get(pk=batch.pk)
    assert found.state == state
    return found


def batch_actors(batch: Batch, role: Role, action: BatchAction) -> Iterator[tuple[str, Actor]]:
    payable = Payable.objects.filter(attempts__batch=batch).first()
    assert payable is not None
    for relation in _relations(BATCH, batch.state, action, role):
        yield relation, related(relation, role, payable)
    for signed in BatchApproval.objects.filter(batch=batch):
        if signed.role != role and role in FINANCE:
            # The same person, with every role of the office: what was signed before decides.
            yield f"signed as {signed.role}", Actor.of(user_id=signed.person_id, roles=FINANCE)


def try_batch(batch: Batch, action: BatchAction, relation: str, actor: Actor, wanted: str | None, role: Role) -> Cell:
    cell = Cell(f"{batch.state} {action} {role} {relation}", wanted)
    try:
        with transaction.atomic():
            before, frozen = traces(), Batch.objects.filter(pk=batch.pk).values().get()
            try:
                with transaction.atomic():
                    BATCH_DEEDS[action](batch, actor)
            except REFUSALS as refusal:
                cell.refusal = str(refusal)
                cell.written = traces() != before or Batch.objects.filter(pk=batch.pk).values().get() != frozen
            cell.state = Batch.objects.get(pk=batch.pk).state
            if cell.state == batch.state:
                cell.state = ""
            raise Undo
    except Undo:
        return cell


@pytest.mark.parametrize("made", [(batch_in, state) for state in BATCH_STATES], indirect=True, ids=BATCH_STATES)
@in_shares
def test_each_cell_of_a_batchs_state_does_what_the_table_says(made: Batch, share: int) -> None:
    batch = Batch.objects.get(pk=made.pk)
    state = BatchState(batch.state)
    wrong: list[Cell] = []
    tried = of_share(
        share,
        product(ROLES, BATCH_DEEDS),
        state=state,
        is_given=lambda cell: any((row.source, row.action) == (state, cell[1]) for row in BATCH),
    )
    for role, action in tried:
        for relation, actor in batch_actors(batch, role, action):
            row = next((r for r in BATCH if (r.source, r.action) == (batch.state, action)), None)
            may = row is not None and role in row.roles and relation == "newcomer"
            wanted = row.target.value if row is not None and may else None
            if relation.startswith("signed as") and _may_again(row, relation, actor):
                continue
            cell = try_batch(batch, action, relation, actor, wanted, role)
            if not cell.is_right or (wanted is None and not cell.refusal.strip()):
                wrong.append(cell)
    assert wrong == []


def _may_again(row: Any, relation: str, actor: Actor) -> bool:
    """Whether the table lets the role in which the person signed do this, too: an approver sends back what they saw."""
    return row is not None and relation.removeprefix("signed as ") in {role.value for role in row.roles}


def test_every_action_that_a_person_takes_on_a_batch_has_its_cell() -> None:
    by_people = {row.action for row in BATCH if row.roles - {Role.SYSTEM}}
    # Co-approval is approval where the amount asks for two; closing by hand follows the last exception resolved.
    assert by_people - set(BATCH_DEEDS) == {D.CO_APPROVE, D.CLOSE}
