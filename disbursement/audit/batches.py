"""Batches: the people who signed, the bytes they signed, and that file, lines, payables and bank agree."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from disbursement.audit.findings import Finding, Scope
from disbursement.audit.paths import Step, wrong_steps
from disbursement.audit.people import People
from disbursement.domain.workflow import BATCH, CYCLE
from disbursement.ledger.reconcile import four_figures
from disbursement.models import (
    Batch,
    BatchApproval,
    Cycle,
    Participation,
    ReturnFile,
    ReturnLine,
    SealedFile,
    StateChange,
)
from disbursement.services.payment.return_reading import is_without_account
from disbursement.services.payment.return_reading import rows as rows_of
from disbursement.treasury.formats import FormatError, ReturnRow, UnknownTable, payment_format

_LOG = "请对照办理记录、签署记录和纸质汇总表查明真实经过；查明前不要发送或重发该批次。"
_PERSON = "请由督查部门核实签署人身份和职责；确属越权的，该批次退回经办重新签署，已支付的报告处理。"
_FILE = "请勿使用该文件付款；与银行核对实际收到的文件及其摘要，并从备份恢复原始文件。"
_BANK = "请向银行调取原始回单逐笔核对，并按例外处理。"
_TABLE = "请把读入该文件时银行的列名恢复到 HUIDA_RETURN_COLUMNS，再审计一次；文件的原文未被改动。"
_SEALED = ("sealed", "sent", "acknowledged", "reconciled", "closed")
_SIGNED = {"make": "finance_maker", "verify": "finance_checker", "approve": "finance_approver"}
_TIMES = {
    "frozen_at": "freeze",
    "sent_at": "send",
    "acknowledged_at": "acknowledge",
    "reconciled_at": "reconcile",
    "closed_at": "close",
}


def check_batches(*, scope: Scope, people: People, counts: Counter[str]) -> Iterator[Finding]:
    """Go through the batches, then their cycles."""
    query = Batch.objects.order_by("pk").select_related("cycle", "budget_line")
    if scope.batches is not None:
        query = query.filter(pk__in=scope.batches)
    for batch in query.prefetch_related("changes", "approvals").iterator(chunk_size=50):
        counts["batches"] += 1
        place = f"批次 {batch.number}"
        changes = sorted(batch.changes.all(), key=lambda change: change.pk)
        yield from _way(batch, changes, place)
        yield from _signatures(batch, changes, place, people=people)
        yield from _file(batch, place)
    cycles = Cycle.objects.order_by("pk")
    if scope.batches is not None:
        cycles = cycles.filter(batches__in=scope.batches).distinct()
    for cycle in cycles.prefetch_related("changes"):
        yield from _cycle(cycle)


def _way(batch: Batch, changes: list[StateChange], place: str) -> Iterator[Finding]:
    steps = [Step(c.source, c.action, c.role, c.target, c.person_id) for c in changes]
    for problem in wrong_steps(BATCH, steps, first="assembling", now=batch.state):
        yield Finding("batches.path", place, problem, _LOG)
    for column, action in _TIMES.items():
        told = getattr(batch, column)
        times = [change.made_at for change in changes if change.action == action]
        if (told is not None and told not in times) or (told is None and times):
            yield Finding("batches.path", place, f"{column} 与办理记录中“{action}”的时间不符。", _LOG)
    rounds = 1 + sum(1 for change in changes if change.action == "send_back")
    if batch.round != rounds:
        yield Finding("batches.path", place, f"登记为第{batch.round}轮签署，办理记录为第{rounds}轮。", _LOG)


def _signatures(batch: Batch, changes: list[StateChange], place: str, *, people: People) -> Iterator[Finding]:
    approvals = sorted(batch.approvals.all(), key=lambda found: found.pk)
    logged = Counter(
        (_SIGNED.get(change.action.replace("co_", ""), ""), change.person_id, change.made_at)
        for change in changes
        if change.action in (*_SIGNED, "co_approve")
    )
    if logged != Counter((found.role, found.person_id, found.signed_at) for found in approvals):
        yield Finding("batches.people", place, "签署与办理记录不一致：有签署没有记录，或有记录没有签署。", _PERSON)
    roles: dict[int, set[str]] = {}
    for approval in approvals:
        roles.setdefault(approval.person_id, set()).add(approval.role)
        yield from _signer(batch, approval, place, people=people)
    for person, held in roles.items():
        if len(held) > 1:
            yield Finding("batches.people", place, f"{people.name(person)}以多种身份签署了同一批次。", _PERSON)
    current = [found for found in approvals if found.round == batch.round]
    last = {found.role: found.person_id for found in current}
    for column, role in (("maker", "finance_maker"), ("checker", "finance_checker"), ("approver", "finance_approver")):
        told = getattr(batch, f"{column}_id")
        if told is not None and last.get(role) != told:
            yield Finding("batches.people", place, f"登记的{role}与签署人不符。", _PERSON)
    if any((a.file_sha256, a.count, a.total) != (batch.file_sha256, batch.count, batch.total) for a in current):
        yield Finding("batches.people", place, "签署所针对的文件摘要、笔数或金额与批次不符。", _FILE)
    if batch.state in ("approved", *_SEALED):
        approved = {found.person_id for found in current if found.role == "finance_approver"}
        if len(approved) < batch.approvals_needed or not {"finance_maker", "finance_checker"} <= set(last):
            yield Finding("batches.people", place, "签署不齐就进入了封存。", _PERSON)


def _signer(batch: Batch, approval: BatchApproval, place: str, *, people: People) -> Iterator[Finding]:
    who = people.name(approval.person_id)
    if people.lacked_role(
        user_id=approval.person_id, role=approval.role, table="disbursement_batchapproval", pk=approval.pk
    ):
        yield Finding("batches.people", place, f"{who}签署时没有“{approval.get_role_display()}”职责。", _PERSON)
    attempts = batch.attempts.exclude(outcome="withdrawn")
    part = Participation.objects.filter(
        user_id=approval.person_id, application__payables__attempts__in=attempts
    ).first()
    if part is not None:
        yield Finding("batches.people", place, f"{who}办理过其中的申报，又签署了付款。", _PERSON)
    enterprises = set(attempts.values_list("payable__enterprise_id", flat=True)) if _has_interests(approval) else set()
    for enterprise_id in enterprises:
        if people.had_interest(user_id=approval.person_id, enterprise_id=enterprise_id, at=approval.signed_at):
            yield Finding("batches.people", place, f"{who}与其中的企业有利益关系，应当回避。", _PERSON)
            break


def _has_interests(approval: BatchApproval) -> bool:
    from disbursement.models import InterestDeclaration

    return InterestDeclaration.objects.filter(user_id=approval.person_id).exists()


def _file(batch: Batch, place: str) -> Iterator[Finding]:
    lines = {
        batch.line_id(line_no or 0): amount
        for line_no, amount in batch.attempts.exclude(outcome="withdrawn")
        .values_list("line_no", "amount")
        .iterator(chunk_size=5000)
    }
    total = sum(lines.values(), Decimal("0.00"))
    if batch.state not in ("assembling", "frozen", "dissolved") and (batch.count, batch.total) != (len(lines), total):
        problem = f"批次登记{batch.count}笔{batch.total}元，明细{len(lines)}笔{total}元。"
        yield Finding("batches.file", place, problem, _FILE)
    sealed = SealedFile.objects.filter(batch=batch).first()
    if sealed is None:
        if batch.state in _SEALED:
            yield Finding("batches.file", place, "已封存的批次没有封存文件。", _FILE)
        return
    content = bytes(sealed.content)
    digest = hashlib.sha256(content).hexdigest()
    if not digest == sealed.sha256 == batch.file_sha256:
        yield Finding("batches.file", place, "封存文件的内容、摘要与签署的摘要不一致。", _FILE)
    if (sealed.count, sealed.total, sealed.format) != (batch.count, batch.total, batch.format):
        yield Finding("batches.file", place, "封存文件登记的笔数、金额或格式与批次不符。", _FILE)
    try:
        amounts = dict(payment_format(sealed.format).read_totals(content).amounts)
    except FormatError as error:
        yield Finding("batches.file", place, f"封存文件无法读取：{error}", _FILE)
        return
    if amounts != lines:
        wrong = sorted(key for key in {*amounts, *lines} if amounts.get(key) != lines.get(key))
        yield Finding("batches.file", place, f"封存文件与支付明细不符：{'、'.join(wrong[:5])}等{len(wrong)}笔。", _FILE)
    if batch.state in ("reconciled", "closed"):
        differences = four_figures(batch=batch).differences
        if differences:
            yield Finding("batches.file", place, f"四项数据不一致：{differences[0]}", _BANK)


def _cycle(cycle: Cycle) -> Iterator[Finding]:
    place = f"兑现周期 {cycle}"
    changes = sorted(cycle.changes.all(), key=lambda change: change.pk)
    steps = [Step(c.source, c.action, c.role, c.target, c.person_id) for c in changes]
    for problem in wrong_steps(CYCLE, steps, first="open", now=cycle.state):
        yield Finding("cycles.path", place, problem, _LOG)
    for column, action in (("cut_at", "cut_off"), ("closed_at", "close")):
        times = [change.made_at for change in changes if change.action == action]
        told = getattr(cycle, column)
        if times and told not in times:
            yield Finding("cycles.path", place, f"{column} 与办理记录不符。", _LOG)


def check_returns(*, scope: Scope, counts: Counter[str]) -> Iterator[Finding]:
    """Every line of a return file is in the books as the bank wrote it."""
    query = ReturnFile.objects.order_by("pk")
    if scope.batches is not None:
        query = query.filter(lines__batch__in=scope.batches).distinct()
    for file in query.iterator(chunk_size=1):
        counts["return_files"] += 1
        place = f"回单文件 {file.name}"
        content = bytes(file.content)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            yield Finding("returns", place, "回单文件的内容与摘要不符。", _BANK)
            continue
        kept = file.lines.order_by("row_no").select_related("attempt__batch").iterator(chunk_size=2000)
        read = rows_of(name=file.name, content=content, strict=False)
        yield from _lines(kept, read, place, is_posted=file.posted_at is not None)


def _lines(kept: Iterator[ReturnLine], read: Iterator[ReturnRow], place: str, *, is_posted: bool) -> Iterator[Finding]:
    told = 0
    try:
        said = {
            row.row_no: (
                (row.line_id, row.result, row.amount, row.occurred_on, row.reference),
                is_without_account(row),
                row.is_dated,
            )
            for row in read
        }
    except UnknownTable:
        yield Finding("returns", place, "已没有能读取该文件的列名表，未能逐行核对。", _TABLE)
        return
    except FormatError as error:
        yield Finding("returns", place, f"回单文件无法读取：{error}", _BANK)
        return
    for line in kept:
        there, may_be_bare, is_dated = said.pop(line.row_no, (None, False, True))
        if there is not None and may_be_bare and line.status == "exception" and not line.result:
            # An account was demanded when it came: nothing but its id and number was taken over.
            there = (there[0], "", None, None, there[4])
        if there is not None and not is_dated and line.status == "duplicate" and line.occurred_on is None:
            # The report's day, which is not that of the payment it repeats, is not kept.
            there = (*there[:3], None, there[4])
        wrong = there != (line.line_id, line.result, line.amount, line.occurred_on, line.reference)
        if not wrong and line.status == "posted":
            wrong = line.attempt is None or line.attempt.amount != line.amount
        wrong = wrong or not _answers_for_its_own(line)
        if wrong and told < 5:
            told += 1
            yield Finding("returns", f"{place} 第{line.row_no}行", "入账的内容与银行的原文不符。", _BANK)
    if said and is_posted:
        yield Finding("returns", place, f"有{len(said)}行没有处理，例如第{min(said)}行。", _BANK)


def _answers_for_its_own(line: ReturnLine) -> bool:
    """Whether the payment that a line is kept with is the one that the bank named."""
    paid = line.attempt
    if paid is None:
        return True
    named = "" if paid.line_no is None else paid.batch.line_id(paid.line_no)
    return (line.line_id, line.batch_id) == (named, paid.batch_id)
