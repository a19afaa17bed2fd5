"""A month's thousands, moved by statement: the same transition table, the same log, nothing but ids in memory.

Beside `transitions`, which moves what people touch one by one. Callers hold a transaction and the locks; work that is
done in pieces takes PIECE rows at a time, in the order of their ids, so that locks are always taken in that order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from disbursement.domain.actors import Actor
from disbursement.domain.cycle import month_label
from disbursement.domain.workflow import PAYABLE, PayableAction, PayableState, Role
from disbursement.models import Payable, PaymentAttempt
from disbursement.services.payment.transitions import CHUNK
from matching.chunks import chunks
from matching.registry import outbox
from matching.statements import among, plain

PIECE = 4000
_NOTE = 300
M = TypeVar("M", bound=Model)


@dataclass(slots=True)
class Tally:
    """Counts what is done of a known total, and tells."""

    total: int
    report: Callable[[int, int], None] | None = None
    done: int = 0

    def add(self, number: int) -> None:
        self.done += number
        if self.report is not None:
            self.report(self.done, max(self.total, self.done))


def lock_piece(*, query: QuerySet[M], after: int = 0) -> list[int]:
    """The ids of the next rows of a query past an id, locked in their order."""
    found = query.filter(pk__gt=after).order_by("pk").select_for_update()
    return list(found.values_list("pk", flat=True)[:PIECE])


def lock_all(*, payable_ids: Iterable[int]) -> int:
    """Lock those payables, piece by piece; how many there are."""
    return sum(len(lock_piece(query=Payable.objects.filter(pk__among=ids))) for ids in chunks(payable_ids, PIECE))


def pending_lines(*, batch_id: int, after: int = 0) -> list[tuple[int, int, int]]:
    """The next lines of a batch that wait for their payment: (line number, payable, attempt), in the order of the
    lines, which is that of their payables.
    """
    lines = PaymentAttempt.objects.filter(batch=batch_id, outcome="pending", line_no__gt=after).order_by("line_no")
    rows = lines.values_list("line_no", "payable_id", "pk")[:PIECE]
    return [(line_no or 0, payable, attempt) for line_no, payable, attempt in rows]


def pieces(query: QuerySet[M]) -> Iterator[list[int]]:
    """The ids of a query in pieces, each asked for when the one before is done: what is changed in between counts."""
    last = 0
    while ids := list(query.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PIECE]):
        yield ids
        last = ids[-1]


def move_many(
    *,
    payable_ids: Sequence[int],
    action: PayableAction,
    role: Role,
    now: datetime,
    actor: Actor | None = None,
    note: str = "",
    **changes: Any,
) -> None:
    """Move locked payables by statement and set `changes` (column → value) on each; all or none. As
    `transitions.move_payables`. Raises WrongState or WrongRole.
    """
    if not payable_ids:
        return
    if not connection.in_atomic_block:
        raise RuntimeError("states are changed inside a transaction")
    states = Payable.objects.filter(pk__among=payable_ids).order_by().values_list("state", flat=True).distinct()
    targets = {state: PAYABLE.find(PayableState(state), action, role).target for state in states}
    condition, ids = among("id", payable_ids)
    for source, target in targets.items():
        columns: dict[str, Any] = {"state": target.value, **changes}
        if target is not PayableState.HELD:
            columns |= {"hold_kind": "", "hold_reason": ""}
        with connection.cursor() as cursor:
            # The log first: the database lets a state change only if the log says so.
            cursor.execute(
                "INSERT INTO disbursement_statechange (payable_id, action, source, target, role, person_id, note,"
                f" made_at) SELECT id, %s, state, %s, %s, %s, %s, %s FROM disbursement_payable WHERE {condition}"
                " AND state || '' = %s ORDER BY id",
                [
                    action.value,
                    target.value,
                    role.value,
                    None if actor is None else actor.user_id,
                    note[:_NOTE],
                    plain(now),
                    *ids,
                    source,
                ],
            )
            logged = cursor.rowcount
            # By id, never by the index of states: no statistics know what is in a state for minutes only.
            cursor.execute(
                f"UPDATE disbursement_payable SET {', '.join(f'{name} = %s' for name in columns)}"
                f" WHERE {condition} AND state || '' = %s",
                [*map(plain, columns.values()), *ids, source],
            )
            if cursor.rowcount != logged:
                raise RuntimeError("payables were moved without holding their locks")


def slip_many(*, payable_ids: Sequence[int], month: date, reason: str) -> None:
    """Put off to a later month, with the reason that the enterprise is shown."""
    text = f"顺延至{month_label(month)}兑现：{reason}"[:_NOTE]
    condition, ids = among("id", payable_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE disbursement_payable SET pay_month = %s, slip_reason = %s WHERE {condition} AND pay_month < %s",
            [plain(month), text, *ids, plain(month)],
        )


def use_checked_accounts(*, payable_ids: Sequence[int]) -> None:
    """Give locked payables the account in use now: it may have been checked while a batch held them."""
    condition, ids = among("p.id", payable_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE disbursement_payable AS p SET payee_name = a.account_name, bank_name = a.bank_name,"
            " bank_code = a.bank_code, account_number = a.account_number FROM disbursement_payeeaccount a"
            f" WHERE {condition} AND a.enterprise_id = p.enterprise_id AND a.state = 'checked'"
            " AND (p.payee_name <> a.account_name OR p.bank_name <> a.bank_name OR p.bank_code <> a.bank_code"
            " OR p.account_number <> a.account_number)",
            ids,
        )


def add_lines(*, batch_id: int, payable_ids: Sequence[int], now: datetime) -> None:
    """Make locked payables lines of a batch that is being assembled: numbered on, in the order of their ids."""
    condition, ids = among("id", payable_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO disbursement_paymentattempt (payable_id, batch_id, line_no, amount, payee_name, bank_name,"
            " bank_code, account_number, outcome, outcome_reason, contradicted, created_at)"
            " SELECT id, %s, (SELECT COALESCE(MAX(line_no), 0) FROM disbursement_paymentattempt WHERE batch_id = %s)"
            " + ROW_NUMBER() OVER (ORDER BY id), amount, payee_name, bank_name, bank_code, account_number, 'pending',"
            f" '', %s, %s FROM disbursement_payable WHERE {condition} ORDER BY id",
            [batch_id, batch_id, False, plain(now), *ids],
        )


def tell_many(*, event: str, query: QuerySet[PaymentAttempt], now: datetime, key: str, **more: Any) -> None:
    """As `transitions.tell`, of the payables of all attempts of an ordered query; `key` names the occasion."""
    ids = query.values_list("payable_id", flat=True)
    outbox.emit_many(
        topic=f"payable.{event}",
        messages=(
            ({"payables": piece, **more}, f"payable.{event}:{key}:{index}")
            for index, piece in enumerate(chunks(ids.iterator(chunk_size=20_000), CHUNK))
        ),
        now=now,
    )
