"""A month ready to be cut off, made by set-based SQL: payables of half as many enterprises, and the bank's answer.

The services would take hours to bring a hundred thousand applications through review. What stands in the tables is what
they would have written, as far as the month's run reads it. The guards stay on, with two exceptions, each said where it
is made: applications are written as approved without their log, and payables as reserved without their history. Budget
is appropriated and reserved by transfers like any other.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from disbursement.domain.workflow import Role
from disbursement.ledger.posting import sync_ceiling
from disbursement.models import AttemptOutcome, Batch, PaymentAttempt
from disbursement.treasury.formats.bank_return_csv import COLUMNS, TRAILER
from tests.factories import disbursement as people
from tests.factories import money

APPROVED = people.at("2026-03-10")
# Of each hundred enterprises: what the checks are there to find.
DISHONEST, SAME_ACCOUNT = 1, 1
# Of each hundred payables: how many were deferred and wait for budget at cut-off.
AWAITING = 2
# Of each hundred lines of the first return file.
BOUNCED, WRONG = 3, 2

_ENTERPRISES = """
INSERT INTO matching_enterprise (credit_code, name, external_id, created_at)
SELECT '91510105MA' || lpad(n::text, 7, '0') || '0', '成都青羊测算科技有限责任公司第' || n || '号',
       'bench-' || n, %(now)s
FROM generate_series(1, %(enterprises)s) n
"""
_FACTS = """
INSERT INTO matching_fact (enterprise_id, key, value, source, valid_on, recorded_at)
SELECT e.id, f.key, CASE WHEN f.key = 'credit_records' AND e.id %% 100 < %(dishonest)s
                         THEN '["dishonest"]'::jsonb ELSE f.value END, '测算', '2026-01-01', %(now)s
FROM matching_enterprise e, (VALUES
    ('registered_region', '"510105"'::jsonb), ('credit_records', '[]'::jsonb), ('industry', '"I65"'::jsonb),
    ('employees', '"120"'::jsonb), ('revenue', '{"2024": "31000000", "2025": "35000000"}'::jsonb),
    ('qualifications', '["high_tech"]'::jsonb)) f(key, value)
"""
_ACCOUNTS = """
INSERT INTO disbursement_payeeaccount (enterprise_id, account_name, bank_name, bank_code, account_number, state,
                                       proposed_by_id, proposed_at, checked_by_id, checked_at, note)
SELECT id, name, '成都银行青羊支行', '313651000015',
       '62220000' || lpad((CASE WHEN id %% 100 < %(same)s THEN id / 200 * 200 ELSE id END)::text, 10, '0'),
       'checked', %(proposer)s, %(now)s, %(checker)s, %(now)s, ''
FROM matching_enterprise
"""
_APPLICATIONS = """
INSERT INTO disbursement_application (number, enterprise_id, item_id, version_id, state, revision, form, contact_name,
    contact_phone, created_by_id, created_at, updated_at, submitted_at, accepted_at, decided_at, approved_amount)
SELECT '2026-' || lpad(n::text, 6, '0'), e.id, %(item)s, %(version)s, 'approved', 5, '{}', '张三', '028-00000000',
       %(proposer)s, %(now)s, %(now)s, %(now)s, %(now)s, %(now)s, 1000 + n %% 997 + 0.37
FROM generate_series(1, %(payables)s) n
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM matching_enterprise) e
  ON e.place = (n - 1) %% %(enterprises)s + 1
"""
_AWARDS = """
INSERT INTO disbursement_award (application_id, enterprise_id, version_id, item_code, year, computed, amount, working,
                                shortfall, granted_by_id, granted_at)
SELECT id, enterprise_id, version_id, %(code)s, 2026, approved_amount, approved_amount, '[]', 'defer',
       %(checker)s, %(now)s
FROM disbursement_application
"""
_PAYABLES = """
INSERT INTO disbursement_payable (application_id, award_id, enterprise_id, number, entitled, amount, budget_code,
    budget_year, budget_line_id, state, pay_month, promised_month, slip_reason, hold_kind, hold_reason, payee_name,
    bank_name, bank_code, account_number, created_at)
SELECT a.application_id, a.id, a.enterprise_id, 1, a.amount, a.amount, l.code, l.year,
       CASE WHEN a.id %% 100 < %(awaiting)s THEN NULL ELSE l.id END,
       CASE WHEN a.id %% 100 < %(awaiting)s THEN 'awaiting' ELSE 'reserved' END,
       '2026-03-01', '2026-03-01', '', '', '', p.account_name, p.bank_name, p.bank_code, p.account_number, %(now)s
FROM disbursement_award a
JOIN disbursement_payeeaccount p ON p.enterprise_id = a.enterprise_id AND p.state = 'checked'
JOIN registry_budgetline l ON l.code = 'bench-' || (a.id %% %(lines)s)
ORDER BY a.id
"""
_RESERVATIONS = """
INSERT INTO disbursement_ledgertransfer (debit_id, credit_id, amount, kind, key, payable_id, memo, posted_at)
SELECT giver.id, taker.id, p.amount, 'reserve', 'reserve:' || p.id || ':0', p.id, '', %(now)s
FROM disbursement_payable p
JOIN disbursement_ledgeraccount giver ON giver.budget_line_id = p.budget_line_id AND giver.kind = 'appropriated'
JOIN disbursement_ledgeraccount taker ON taker.budget_line_id = p.budget_line_id AND taker.kind = 'reserved'
WHERE p.state = 'reserved'
"""


def build(*, payables: int, lines: int) -> None:
    """A month of so many payables on so many budget lines, in an empty migrated database."""
    with transaction.atomic():
        version = money.version("5000", line="bench-0", cap_per_year="5000000", shortfall="defer")
        proposer, checker = people.user(), people.user()
        for role in (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER, Role.FINANCE_APPROVER):
            people.staff(role)
        wanted: dict[str, Any] = {
            "payables": payables,
            "enterprises": max(1, payables // 2),
            "lines": lines,
            "now": APPROVED,
            "item": version.item_id,
            "version": version.pk,
            "code": version.item.code,
            "proposer": proposer.pk,
            "checker": checker.pk,
            "dishonest": DISHONEST,
            "same": SAME_ACCOUNT,
            "awaiting": AWAITING,
        }
        for number in range(lines):
            line = people.budget_line(code=f"bench-{number}", ceiling="10000000000")
            sync_ceiling(line=line, now=APPROVED)
        with connection.cursor() as cursor:
            for statement in (_ENTERPRISES, _FACTS, _ACCOUNTS):
                cursor.execute(statement, wanted)
            # An application begins as a draft and moves with its log: here it stands approved at once.
            cursor.execute("ALTER TABLE disbursement_application DISABLE TRIGGER USER")
            cursor.execute(_APPLICATIONS, wanted)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE disbursement_application ENABLE TRIGGER USER")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for statement in (_AWARDS, _PAYABLES, _RESERVATIONS):
                cursor.execute(statement, wanted)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def write_returns(folder: Path) -> tuple[Path, Path]:
    """The bank's file for everything that was sent, some of it wrong, and a second one that puts the wrong lines
    right. Returns both paths."""
    first, second = folder / "returns.csv", folder / "returns-corrected.csv"
    _write(first, _answers(corrected=False))
    _write(second, _answers(corrected=True))
    return first, second


def _answers(*, corrected: bool) -> Iterator[list[str]]:
    day = date(2026, 3, 24).isoformat()
    for batch in Batch.objects.filter(sent_at__isnull=False).order_by("id"):
        found = PaymentAttempt.objects.filter(batch=batch, outcome=AttemptOutcome.PENDING).order_by("line_no")
        rows = found.values_list("line_no", "account_number", "amount").iterator(chunk_size=5000)
        for index, (line_no, account, amount) in enumerate(rows):
            place = index % 100
            line_id, wrong = batch.line_id(line_no or 0), place < WRONG
            if corrected and not wrong:
                continue
            if wrong and not corrected:
                # By turns another amount, a line that we never sent, and a result that nobody can read.
                kind = index // 100 % 3
                yield [
                    line_id if kind else f"{batch.number}-{900_000 + index:06d}",
                    account,
                    f"{amount + (kind == 1):.2f}",
                    "处理中" if kind == 2 else "成功",
                    day,
                    f"B{index:07d}",
                    "",
                ]
            elif place < WRONG + BOUNCED:
                yield [line_id, account, f"{amount:.2f}", "退票", day, f"B{index:07d}", "账号户名不符"]
            else:
                yield [line_id, account, f"{amount:.2f}", "成功", day, f"B{index:07d}", ""]


def _write(path: Path, rows: Iterator[list[str]]) -> None:
    count, total = 0, Decimal("0.00")
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(row)
            count, total = count + 1, total + Decimal(row[2])
        writer.writerow([TRAILER, count, f"{total:.2f}"])
