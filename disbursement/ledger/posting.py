"""Posting transfers: the only writer of the ledger.

Callers hold a transaction. Accounts of a line are locked in the order of their ids, after payables and
batches, so that no two postings wait for each other. A posting either goes in whole or raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from disbursement.domain import money
from disbursement.ledger.standing import check_open, freeze_of, is_closed
from disbursement.models import AccountKind, LedgerAccount, LedgerTransfer, TransferKind
from matching.registry.models import BudgetLine
from matching.statements import among, plain

_A, _T = AccountKind, TransferKind
_CHUNK = 1000

# From which account to which; a reversal's route is that of what it reverses, backwards.
ROUTES: Mapping[TransferKind, tuple[AccountKind, AccountKind]] = {
    _T.APPROPRIATE: (_A.SOURCE, _A.APPROPRIATED),
    _T.REDUCE: (_A.APPROPRIATED, _A.SOURCE),
    _T.RESERVE: (_A.APPROPRIATED, _A.RESERVED),
    _T.UNRESERVE: (_A.RESERVED, _A.APPROPRIATED),
    _T.COMMIT: (_A.RESERVED, _A.COMMITTED),
    _T.UNCOMMIT: (_A.COMMITTED, _A.RESERVED),
    _T.PAY: (_A.COMMITTED, _A.PAID),
    _T.UNPAY: (_A.PAID, _A.COMMITTED),
    _T.REFUND: (_A.PAID, _A.APPROPRIATED),
    _T.CLAW_BACK: (_A.PAID, _A.RECEIVABLE),
    _T.RECOVER: (_A.RECEIVABLE, _A.APPROPRIATED),
    _T.HAND_OVER: (_A.RECEIVABLE, _A.PAID),
    _T.TAKE_OVER: (_A.SOURCE, _A.PAID),
}
REVERSES: Mapping[TransferKind, TransferKind] = {
    _T.UNRESERVE: _T.RESERVE,
    _T.UNCOMMIT: _T.COMMIT,
    _T.UNPAY: _T.PAY,
}


class InsufficientBudget(Exception):
    """The account that should give has too little; nothing was posted. The message is for people; amounts in
    元.
    """

    def __init__(self, *, line: BudgetLine, wanted: Decimal, available: Decimal) -> None:
        super().__init__(
            f"预算科目“{line}”可用预算{money.yuan(available)}元，不足{money.yuan(wanted)}元。"
            "请联系预算部门追加预算，或待预算释放后再办理。"
        )
        self.wanted = wanted
        self.available = available


class FrozenLine(InsufficientBudget):
    """The line is frozen: nothing is reserved on it until it is unfrozen."""

    def __init__(self, *, line: BudgetLine, wanted: Decimal, paper_number: str) -> None:
        super().__init__(line=line, wanted=wanted, available=money.ZERO)
        self.args = (f"预算科目“{line}”已冻结（{paper_number}），解冻前不能预留。请联系预算部门。",)


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer to be: for which payable (and which attempt at paying it), how much (元, > 0), a word on
    why.
    """

    payable_id: int
    amount: Decimal
    attempt_id: int | None = None
    memo: str = ""


def lock_accounts(*, line: BudgetLine) -> dict[AccountKind, LedgerAccount]:
    """All accounts of a line, opened where missing, appropriated to the line's ceiling, locked."""
    if not connection.in_atomic_block:
        raise RuntimeError("the ledger is posted to inside a transaction")
    query = LedgerAccount.objects.select_for_update().filter(budget_line=line).order_by("id")
    found = {AccountKind(account.kind): account for account in query}
    if len(found) < len(AccountKind):
        missing = [LedgerAccount(budget_line=line, kind=kind) for kind in AccountKind if kind not in found]
        LedgerAccount.objects.bulk_create(missing, ignore_conflicts=True)
        found = {AccountKind(account.kind): account for account in query.all()}
    return found


def sync_ceiling(*, line: BudgetLine, now: datetime, memo: str = "") -> Decimal:
    """Bring the appropriation to the line's ceiling and return what may be reserved (元): nothing on a frozen line.

    A ceiling below what is already reserved or paid, which the database refuses, would take back only what is still
    available. Raises Invalid for a line whose year was closed.
    """
    # Whoever changes a ceiling has the accounts locked: read before, it could be what was just taken back.
    accounts = lock_accounts(line=line)
    line.refresh_from_db(fields=["ceiling"])
    is_frozen = freeze_of(line=line) is not None
    appropriated = -accounts[_A.SOURCE].balance
    available = accounts[_A.APPROPRIATED].balance
    difference = line.ceiling - appropriated
    if difference < 0:
        difference = -min(-difference, available)
    if not difference:
        return money.ZERO if is_frozen else available
    check_open(line=line)
    kind = _T.APPROPRIATE if difference > 0 else _T.REDUCE
    count = LedgerTransfer.objects.filter(debit__budget_line=line, payable__isnull=True).count()
    giver, taker = ROUTES[kind]
    LedgerTransfer.objects.bulk_create(
        [
            LedgerTransfer(
                debit=accounts[giver],
                credit=accounts[taker],
                amount=abs(difference),
                kind=kind,
                key=f"{kind}:{line.pk}:{count + 1}",
                memo=memo[:200],
                posted_at=now,
            )
        ]
    )
    return money.ZERO if is_frozen else available + difference


def free_on(*, line: BudgetLine) -> Decimal:
    """What `sync_ceiling` would return now (元), without posting or locking anything."""
    if freeze_of(line=line) is not None:
        return money.ZERO
    held = balances(line=line)
    available = held[_A.APPROPRIATED]
    if is_closed(line=line):
        return available
    return available + max(line.ceiling + held[_A.SOURCE], -available)


def post(*, line: BudgetLine, kind: TransferKind, entries: Sequence[Entry], now: datetime) -> Decimal:
    """Post one transfer for each entry and return their sum. Raises InsufficientBudget.

    A kind that reverses (UNRESERVE, UNCOMMIT, UNPAY) finds the transfer that it reverses: the one of the same
    payable (and attempt) that still stands; it is a programming error if there is none.
    """
    if not entries:
        return money.ZERO
    total = money.total(entry.amount for entry in entries)
    _prepare(line=line, kind=kind, total=total, now=now)
    accounts = lock_accounts(line=line)
    giver, taker = (accounts[side] for side in ROUTES[kind])
    if giver.kind != _A.SOURCE and total > giver.balance:
        raise InsufficientBudget(line=line, wanted=total, available=giver.balance)
    reversed_kind = REVERSES.get(kind)
    standing: dict[tuple[int, int | None], LedgerTransfer] = {}
    if reversed_kind is not None:
        standing = _standing(kind=reversed_kind, entries=entries)
    keys = _keys(kind=kind, entries=entries)
    LedgerTransfer.objects.bulk_create(
        [
            LedgerTransfer(
                debit=giver,
                credit=taker,
                amount=entry.amount,
                kind=kind,
                key=key,
                payable_id=entry.payable_id,
                attempt_id=entry.attempt_id,
                reversal_of=standing[entry.payable_id, entry.attempt_id] if reversed_kind else None,
                memo=entry.memo[:200],
                posted_at=now,
            )
            for entry, key in zip(entries, keys, strict=True)
        ],
        batch_size=_CHUNK,
    )
    return total


def _prepare(*, line: BudgetLine, kind: TransferKind, total: Decimal, now: datetime) -> None:
    """Whether the line takes such a posting. Raises Invalid where its year was closed, and FrozenLine."""
    check_open(line=line)
    if kind is _T.RESERVE:
        frozen = freeze_of(line=line)
        if frozen is not None:
            raise FrozenLine(line=line, wanted=total, paper_number=frozen.paper_number)
        sync_ceiling(line=line, now=now)


def post_payables(*, line: BudgetLine, kind: TransferKind, payable_ids: Sequence[int], now: datetime) -> Decimal:
    """As `post`, by statement: the amount of each of these payables. Raises InsufficientBudget."""
    condition, ids = among("id", payable_ids)
    source = (
        "SELECT id AS payable_id, CAST(NULL AS bigint) AS attempt_id, amount, '' AS memo"
        f" FROM disbursement_payable WHERE {condition}"
    )
    return _post_many(line=line, kind=kind, source=source, values=ids, count=len(payable_ids), now=now)


def post_attempts(
    *,
    line: BudgetLine,
    kind: TransferKind,
    attempt_ids: Sequence[int],
    now: datetime,
    told: tuple[int, str] | None = None,
) -> Decimal:
    """As `post`, by statement: the amount of each of these attempts. Raises InsufficientBudget.

    `told` is (return file's id, result): the memo of each is then the reason that the file's posted line gives.
    """
    condition, ids = among("a.id", attempt_ids)
    memo: str = "''"
    values: list[Any] = []
    if told is not None:
        memo = (
            "COALESCE((SELECT SUBSTR(l.reason, 1, 200) FROM disbursement_returnline l WHERE l.attempt_id = a.id"
            " AND l.file_id = %s AND l.result = %s AND l.status = 'posted'), '')"
        )
        values = [*told]
    source = (
        f"SELECT a.payable_id, a.id AS attempt_id, a.amount, {memo} AS memo FROM disbursement_paymentattempt a"
        f" WHERE {condition}"
    )
    return _post_many(line=line, kind=kind, source=source, values=[*values, *ids], count=len(attempt_ids), now=now)


def _post_many(
    *, line: BudgetLine, kind: TransferKind, source: str, values: list[Any], count: int, now: datetime
) -> Decimal:
    if not count:
        return money.ZERO
    _prepare(line=line, kind=kind, total=money.ZERO, now=now)
    accounts = lock_accounts(line=line)
    giver, taker = (accounts[side] for side in ROUTES[kind])
    same = "t.payable_id = s.payable_id AND COALESCE(t.attempt_id, 0) = COALESCE(s.attempt_id, 0)"
    reversed_kind = REVERSES.get(kind)
    reverses = "CAST(NULL AS bigint)"
    if reversed_kind is not None:
        reverses = (
            "(SELECT MAX(t.id) FROM disbursement_ledgertransfer t WHERE t.kind = %s AND "
            f"{same} AND NOT EXISTS (SELECT 1 FROM disbursement_ledgertransfer r WHERE r.reversal_of_id = t.id))"
        )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*), SUM(s.amount) FROM ({source}) s", values)
        found, total = cursor.fetchone()
        total = money.from_sum(total)
        if found != count:
            raise RuntimeError("what is to be posted is not there")
        if total > giver.balance:
            raise InsufficientBudget(line=line, wanted=total, available=giver.balance)
        cursor.execute(
            "INSERT INTO disbursement_ledgertransfer (debit_id, credit_id, amount, kind, key, payable_id, attempt_id,"
            " reversal_of_id, memo, posted_at)"
            " SELECT %s, %s, k.amount, %s, %s || ':' || k.payable_id || ':' || COALESCE(k.attempt_id, 0)"
            " || CASE WHEN k.used > 0 THEN ':' || (k.used + 1) ELSE '' END,"
            f" k.payable_id, k.attempt_id, k.reverses, k.memo, %s FROM (SELECT s.*, {reverses} AS reverses,"
            f" (SELECT COUNT(*) FROM disbursement_ledgertransfer t WHERE t.kind = %s AND {same}) AS used"
            f" FROM ({source}) s) k ORDER BY k.payable_id",
            [
                giver.pk,
                taker.pk,
                kind.value,
                kind.value,
                plain(now),
                *([] if reversed_kind is None else [reversed_kind.value]),
                kind.value,
                *values,
            ],
        )
        if reversed_kind is not None:
            _need_reversed(kind=kind, source=source, values=values)
    return total


def _need_reversed(*, kind: TransferKind, source: str, values: list[Any]) -> None:
    """A reversal without what it reverses is a programming error, and never stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*) FROM ({source}) s JOIN disbursement_ledgertransfer t ON t.payable_id = s.payable_id"
            " AND t.kind = %s AND t.reversal_of_id IS NULL",
            [*values, kind.value],
        )
        if cursor.fetchone()[0]:
            raise RuntimeError("there is nothing to reverse")


def balances(*, line: BudgetLine) -> dict[AccountKind, Decimal]:
    """The balances (元) as they stand; zero for accounts not yet opened. Before any posting the ceiling is
    not in it.
    """
    found = dict.fromkeys(AccountKind, money.ZERO)
    for account in LedgerAccount.objects.filter(budget_line=line):
        found[AccountKind(account.kind)] = account.balance
    return found


def _standing(*, kind: TransferKind, entries: Sequence[Entry]) -> dict[tuple[int, int | None], LedgerTransfer]:
    found: dict[tuple[int, int | None], LedgerTransfer] = {}
    ids = [entry.payable_id for entry in entries]
    for start in range(0, len(ids), _CHUNK):
        query = LedgerTransfer.objects.filter(
            kind=kind, payable_id__among=ids[start : start + _CHUNK], reversed_by__isnull=True
        )
        # The last counts: what was reserved on a line whose year is closed stands there for ever.
        for transfer in query.order_by("pk"):
            assert transfer.payable_id is not None
            found[transfer.payable_id, transfer.attempt_id] = transfer
    return found


def _keys(*, kind: TransferKind, entries: Sequence[Entry]) -> list[str]:
    """`commit:17:203`, and `commit:17:203:2` where the same attempt was committed, reversed and committed
    again.
    """
    stems = [f"{kind}:{entry.payable_id}:{entry.attempt_id or 0}" for entry in entries]
    used: dict[str, int] = {}
    for start in range(0, len(stems), _CHUNK):
        chunk = entries[start : start + _CHUNK]
        for payable_id, attempt_id in LedgerTransfer.objects.filter(
            kind=kind, payable_id__among=[entry.payable_id for entry in chunk]
        ).values_list("payable_id", "attempt_id"):
            stem = f"{kind}:{payable_id}:{attempt_id or 0}"
            used[stem] = used.get(stem, 0) + 1
    return [f"{stem}:{used[stem] + 1}" if stem in used else stem for stem in stems]
