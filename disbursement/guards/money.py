"""The triggers of the money side: append-only tables, frozen columns, balances, bound signatures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from disbursement.guards import (
    applications,
    caps,
    delivery,
    evidence,
    gateways,
    payouts,
    recovery,
    review,
    states,
    supervision,
)
from disbursement.ledger.posting import ROUTES

APPEND_ONLY = (
    "disbursement_anchor",
    "disbursement_award",
    "disbursement_batchapproval",
    "disbursement_decision",
    "disbursement_document",
    "disbursement_judgement",
    "disbursement_ledgertransfer",
    "disbursement_opinion",
    "disbursement_participation",
    "disbursement_reconciliation",
    "disbursement_sealedfile",
    "disbursement_statechange",
    "disbursement_transitionlog",
    *applications.APPEND_ONLY,
    *caps.APPEND_ONLY,
    *delivery.APPEND_ONLY,
    *evidence.APPEND_ONLY,
    *gateways.APPEND_ONLY,
    *payouts.APPEND_ONLY,
    *recovery.APPEND_ONLY,
    *review.APPEND_ONLY,
    *supervision.APPEND_ONLY,
)
NEVER_DELETED = (
    "disbursement_batch",
    "disbursement_chainlink",
    "disbursement_chainshape",
    "disbursement_claimedinvoice",
    "disbursement_clawback",
    "disbursement_cycle",
    "disbursement_ledgeraccount",
    "disbursement_payable",
    "disbursement_payeeaccount",
    "disbursement_paymentattempt",
    "disbursement_returnfile",
    "disbursement_returnline",
    *applications.NEVER_DELETED,
    *caps.NEVER_DELETED,
    *delivery.NEVER_DELETED,
    *evidence.NEVER_DELETED,
    *gateways.NEVER_DELETED,
    *payouts.NEVER_DELETED,
    *recovery.NEVER_DELETED,
    *review.NEVER_DELETED,
    *supervision.NEVER_DELETED,
)
_PAYEE = ("payee_name", "bank_name", "bank_code", "account_number")
FROZEN = {
    **caps.FROZEN,
    **delivery.FROZEN,
    **evidence.FROZEN,
    **gateways.FROZEN,
    **payouts.FROZEN,
    **recovery.FROZEN,
    **review.FROZEN,
    **supervision.FROZEN,
    "disbursement_chainlink": (
        "stream",
        "kind",
        "shape",
        "ids",
        "count",
        "digest",
        "session",
        "mac",
        "written_by",
        "written_at",
    ),
    "disbursement_chainshape": ("table", "key", "columns"),
    "disbursement_batch": ("cycle_id", "budget_line_id", "number", "payer", "assembled_at"),
    "disbursement_claimedinvoice": ("application_id", "paper_id", "issuer", "number", "amount", "used"),
    "disbursement_clawback": ("payable_id", "number", "amount", "reason", "due_on", "ordered_by_id", "ordered_at"),
    "disbursement_cycle": ("month", "opened_at"),
    "disbursement_ledgeraccount": ("budget_line_id", "kind"),
    "disbursement_payable": (
        "application_id",
        "award_id",
        "enterprise_id",
        "number",
        "entitled",
        "budget_code",
        "budget_year",
        "promised_month",
        "created_at",
    ),
    "disbursement_payeeaccount": (
        "enterprise_id",
        "account_name",
        "bank_name",
        "bank_code",
        "account_number",
        "proposed_by_id",
        "proposed_at",
    ),
    "disbursement_paymentattempt": ("payable_id", "batch_id", "amount", *_PAYEE, "created_at"),
    "disbursement_returnfile": (
        "name",
        "sha256",
        "content",
        "is_complete",
        "problems",
        "received_by_id",
        "received_at",
    ),
    "disbursement_returnline": (
        "file_id",
        "row_no",
        "line_id",
        "result",
        "amount",
        "occurred_on",
        "reference",
        "reason",
        "status",
        "problem",
        "created_at",
    ),
}
# Written once: empty before, for ever afterwards.
_ONCE = {
    **caps.ONCE,
    **delivery.ONCE,
    **evidence.ONCE,
    **gateways.ONCE,
    **payouts.ONCE,
    **recovery.ONCE,
    **review.ONCE,
    **supervision.ONCE,
    "disbursement_batch": ("frozen_at", "sent_at", "acknowledged_at", "reconciled_at", "closed_at"),
    "disbursement_chainlink": ("anchor_id",),
    "disbursement_clawback": ("recovered_at", "recovered_by_id"),
    "disbursement_cycle": ("cut_at", "closed_at"),
    "disbursement_payeeaccount": ("checked_at", "checked_by_id"),
    "disbursement_returnfile": ("posted_at",),
    "disbursement_returnline": ("resolved_at", "resolved_by_id"),
}
_SEALED_STATES = "('sealed', 'sent', 'acknowledged', 'reconciled', 'closed')"
_SIGNED_STATES = "('made', 'verified', 'approved', 'sealed', 'sent', 'acknowledged', 'reconciled', 'closed')"


def elsewhere() -> tuple[str, ...]:
    """Append-only tables of other rooms, which the composition root names: who held which role when."""
    return tuple(getattr(settings, "HUIDA_AUDITED_TABLES", ()))


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuse `event` on `table` where `condition` holds; DIFFERS stands for the null-safe inequality."""

    name: str
    table: str
    event: str
    condition: str
    message: str


def _differ(columns: tuple[str, ...]) -> str:
    return " OR ".join(f'OLD."{column}" DIFFERS NEW."{column}"' for column in columns)


def guards() -> Iterator[Guard]:
    for rules in (applications, states, caps, delivery, gateways, payouts, evidence, recovery, review, supervision):
        for row in rules.rows():
            yield Guard(*row)
    for table in (*APPEND_ONLY, *elsewhere()):
        yield Guard(f"{table}_append_only", table, "UPDATE", "TRUE", f"{table} is append-only")
    for table, columns in FROZEN.items():
        # Nor does the id: what asks a statement's new rows beside the old ones knows them by it.
        differ = _differ(("id", *columns))
        yield Guard(f"{table}_frozen", table, "UPDATE", differ, f"{table}: a column that never changes was changed")
    for table, columns in _ONCE.items():
        differ = " OR ".join(f"(OLD.{c} IS NOT NULL AND OLD.{c} DIFFERS NEW.{c})" for c in columns)
        yield Guard(f"{table}_once", table, "UPDATE", differ, f"{table}: a column that is written once was changed")
    yield Guard(
        "disbursement_payable_amount",
        "disbursement_payable",
        "UPDATE",
        "OLD.amount DIFFERS NEW.amount AND OLD.state <> 'awaiting'",
        "the amount of a payable is fixed once budget is reserved for it",
    )
    yield Guard(
        "disbursement_payable_line",
        "disbursement_payable",
        "UPDATE",
        "OLD.budget_line_id DIFFERS NEW.budget_line_id AND OLD.state <> 'awaiting' AND NOT EXISTS"
        " (SELECT 1 FROM disbursement_carryover c WHERE c.payable_id = NEW.id"
        " AND c.from_line_id = OLD.budget_line_id AND c.to_line_id = NEW.budget_line_id)"
        " AND NOT EXISTS (SELECT 1 FROM disbursement_takeover t WHERE t.payable_id = NEW.id"
        " AND t.from_line_id = OLD.budget_line_id AND t.to_line_id = NEW.budget_line_id)",
        "the budget line of a payable is fixed once budget is reserved on it, but for a carry-over",
    )
    yield Guard(
        "disbursement_payable_payee",
        "disbursement_payable",
        "UPDATE",
        f"({_differ(_PAYEE)}) AND OLD.state NOT IN ('awaiting', 'reserved', 'held', 'bounced', 'mended')",
        "the payee of a payable is fixed while a batch holds it and once it is paid",
    )
    yield Guard(
        "disbursement_attempt_insert",
        "disbursement_paymentattempt",
        "INSERT",
        "(SELECT state FROM disbursement_batch WHERE id = NEW.batch_id) <> 'assembling'",
        "lines are added only to a batch that is being assembled",
    )
    yield Guard(
        "disbursement_attempt_payable",
        "disbursement_paymentattempt",
        "INSERT",
        # Asked as a value, not as NOT EXISTS: rows are looked up by their keys, never joined with a whole table.
        "NOT COALESCE((SELECT p.amount = NEW.amount AND p.account_number = NEW.account_number"
        " AND p.payee_name = NEW.payee_name FROM disbursement_payable p WHERE p.id = NEW.payable_id), FALSE)",
        "a line pays what its payable says, to whom it says",
    )
    yield Guard(
        "disbursement_attempt_line_no",
        "disbursement_paymentattempt",
        "UPDATE",
        "OLD.line_no IS NOT NULL AND OLD.line_no DIFFERS NEW.line_no",
        "a line keeps its number",
    )
    yield Guard(
        "disbursement_batch_signed",
        "disbursement_batch",
        "UPDATE",
        f"OLD.state IN {_SIGNED_STATES} AND NEW.state NOT IN ('checked', 'dissolved') AND ("
        + _differ(("count", "total", "file_sha256", "format", "maker_id", "round", "approvals_needed"))
        + ")",
        "what was signed does not change; send the batch back first",
    )
    yield Guard(
        "disbursement_batch_sealed",
        "disbursement_batch",
        "UPDATE",
        f"OLD.state IN {_SEALED_STATES} AND (NEW.state NOT IN {_SEALED_STATES} OR "
        + _differ(("checker_id", "approver_id"))
        + ")",
        "a sealed batch stays sealed, with its signatures",
    )
    yield Guard(
        "disbursement_batch_sealed_has_file",
        "disbursement_batch",
        "UPDATE",
        f"NEW.state IN {_SEALED_STATES} AND NOT EXISTS"
        " (SELECT 1 FROM disbursement_sealedfile s WHERE s.batch_id = NEW.id)",
        "a sealed batch has its sealed file",
    )
    yield Guard(
        "disbursement_batch_begins",
        "disbursement_batch",
        "INSERT",
        "NEW.state <> 'assembling'",
        "a batch begins by being assembled",
    )
    yield Guard(
        "disbursement_approval_bound",
        "disbursement_batchapproval",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM disbursement_batch b WHERE b.id = NEW.batch_id AND b.round = NEW.round"
        " AND b.file_sha256 = NEW.file_sha256 AND b.count = NEW.count AND b.total = NEW.total)",
        "a signature is for the bytes, count and total of the batch in its present round",
    )
    yield Guard(
        "disbursement_approval_one_role",
        "disbursement_batchapproval",
        "INSERT",
        "EXISTS (SELECT 1 FROM disbursement_batchapproval a WHERE a.batch_id = NEW.batch_id"
        " AND a.person_id = NEW.person_id AND a.role <> NEW.role)",
        "nobody signs one batch in two roles",
    )
    yield Guard(
        "disbursement_sealedfile_signed",
        "disbursement_sealedfile",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM disbursement_batch b WHERE b.id = NEW.batch_id AND b.state = 'approved'"
        " AND b.file_sha256 = NEW.sha256 AND b.count = NEW.count AND b.total = NEW.total AND b.format = NEW.format"
        " AND b.approvals_needed <= (SELECT COUNT(*) FROM disbursement_batchapproval a WHERE a.batch_id = b.id"
        " AND a.round = b.round AND a.role = 'finance_approver' AND a.file_sha256 = NEW.sha256)"
        " AND EXISTS (SELECT 1 FROM disbursement_batchapproval a WHERE a.batch_id = b.id AND a.round = b.round"
        " AND a.role = 'finance_maker' AND a.file_sha256 = NEW.sha256)"
        " AND EXISTS (SELECT 1 FROM disbursement_batchapproval a WHERE a.batch_id = b.id AND a.round = b.round"
        " AND a.role = 'finance_checker' AND a.file_sha256 = NEW.sha256))",
        "only the bytes that maker, checker and approvers signed are sealed",
    )
    yield Guard(
        "disbursement_transfer_one_line",
        "disbursement_ledgertransfer",
        "INSERT",
        "(SELECT budget_line_id FROM disbursement_ledgeraccount WHERE id = NEW.debit_id) DIFFERS"
        " (SELECT budget_line_id FROM disbursement_ledgeraccount WHERE id = NEW.credit_id)",
        "a transfer stays within its budget line",
    )
    yield Guard(
        "disbursement_transfer_route",
        "disbursement_ledgertransfer",
        "INSERT",
        "NEW.kind || ':' || (SELECT kind FROM disbursement_ledgeraccount WHERE id = NEW.debit_id) || ':' ||"
        " (SELECT kind FROM disbursement_ledgeraccount WHERE id = NEW.credit_id) NOT IN ("
        + ", ".join(f"'{kind.value}:{giver.value}:{taker.value}'" for kind, (giver, taker) in ROUTES.items())
        + ")",
        "a transfer goes the way that its kind goes",
    )
    yield Guard(
        "disbursement_transfer_attempt",
        "disbursement_ledgertransfer",
        "INSERT",
        "NEW.attempt_id IS NOT NULL AND NOT COALESCE((SELECT a.payable_id = NEW.payable_id AND a.amount = NEW.amount"
        " FROM disbursement_paymentattempt a WHERE a.id = NEW.attempt_id), FALSE)",
        "a transfer for an attempt moves the amount of that attempt",
    )
    yield Guard(
        "disbursement_transfer_reversal",
        "disbursement_ledgertransfer",
        "INSERT",
        "NEW.reversal_of_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM disbursement_ledgertransfer t"
        " WHERE t.id = NEW.reversal_of_id AND t.amount = NEW.amount AND t.debit_id = NEW.credit_id"
        " AND t.credit_id = NEW.debit_id AND t.payable_id = NEW.payable_id)",
        "a reversal moves the same amount back between the same accounts",
    )
    yield Guard(
        "disbursement_account_begins",
        "disbursement_ledgeraccount",
        "INSERT",
        "NEW.balance <> 0",
        "an account begins with nothing in it",
    )
