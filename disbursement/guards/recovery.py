"""The triggers of money asked back: a plan is approved once, by another, as it was proposed; the same money is recorded
once and never beyond what is owed; what is set off is the enterprise's own; a year that is over takes nothing more.

And those of the month's preparation: a cut-off day moves only by a decision.
"""

from __future__ import annotations

from collections.abc import Iterator

from disbursement.domain.instalments import PLAN

APPEND_ONLY = (
    "disbursement_bankentry",
    "disbursement_clawbackentry",
    "disbursement_cutoffday",
    "disbursement_cyclepreflight",
    "disbursement_exceptionnote",
    "disbursement_findingacknowledgement",
    "disbursement_planchange",
    "disbursement_setoff",
    "disbursement_takeover",
)
NEVER_DELETED = ("disbursement_clawbackplan", "disbursement_clawbackreceipt", "disbursement_repaymentaccount")
FROZEN = {
    "disbursement_clawbackplan": ("clawback_id", "number", "asked_by_id", "asked_at", "ask_reason", "wished"),
    "disbursement_clawbackreceipt": (
        *("clawback_id", "amount", "applied", "excess", "received_on", "reference", "return_line_id", "set_off_id"),
        *("note", "recorded_by_id", "recorded_at"),
    ),
    "disbursement_repaymentaccount": (
        *("account_name", "bank_name", "account_number", "contact", "phone", "reason"),
        *("proposed_by_id", "proposed_at"),
    ),
}
ONCE = {
    "disbursement_clawbackplan": (
        *("amount", "proposed_by_id", "proposed_at", "approved_by_id", "approved_at", "ended_at"),
    ),
    "disbursement_clawbackreceipt": ("returned_on", "returned_by_id"),
    "disbursement_repaymentaccount": ("decided_by_id", "decided_at"),
}
_RECEIVED = "COALESCE((SELECT SUM(r.applied) FROM disbursement_clawbackreceipt r WHERE r.clawback_id = {of}), 0)"
_OWED = "(SELECT c.amount FROM disbursement_clawback c WHERE c.id = {of})"


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """(name, table, event, condition, message), as `Guard` takes them."""
    known = ", ".join(
        f"'{row.source.value}/{row.action.value}/{role.value}/{row.target.value}'"
        for row in PLAN
        for role in sorted(row.roles)
    )
    yield (
        "disbursement_planchange_table",
        "disbursement_planchange",
        "INSERT",
        f"(NEW.source || '/' || NEW.action || '/' || NEW.role || '/' || NEW.target) NOT IN ({known})",
        "the transition table knows no such step of a plan",
    )
    yield (
        "disbursement_planchange_follows",
        "disbursement_planchange",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM disbursement_clawbackplan p WHERE p.id = NEW.plan_id AND p.state = NEW.source)",
        "a step starts from the state that the plan is in",
    )
    yield (
        "disbursement_plan_begins",
        "disbursement_clawbackplan",
        "INSERT",
        "NEW.state <> 'asked' AND NEW.state <> 'proposed'",
        "a plan begins by being asked for or proposed",
    )
    yield (
        "disbursement_plan_moves",
        "disbursement_clawbackplan",
        "UPDATE",
        (
            "OLD.state <> NEW.state AND NOT EXISTS (SELECT 1 FROM disbursement_planchange s WHERE s.plan_id = NEW.id"
            " AND s.source = OLD.state AND s.target = NEW.state AND NOT EXISTS"
            " (SELECT 1 FROM disbursement_planchange l WHERE l.plan_id = s.plan_id AND l.id > s.id))"
        ),
        "the state of a plan changes only with its log",
    )
    yield (
        "disbursement_plan_adds_up",
        "disbursement_clawbackplan",
        "UPDATE",
        (
            "OLD.state = 'proposed' AND NEW.state = 'in_force' AND (ROUND(NEW.amount, 2) <> ROUND(COALESCE((SELECT"
            " SUM(e.amount) FROM disbursement_clawbackentry e WHERE e.plan_id = NEW.id), 0), 2) OR"
            f" ROUND(NEW.amount, 2) <> ROUND({_OWED.format(of='NEW.clawback_id')}"
            f" - {_RECEIVED.format(of='NEW.clawback_id')}, 2))"
        ),
        "an approved plan adds up to what is owed",
    )
    yield (
        "disbursement_entry_before_approval",
        "disbursement_clawbackentry",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_clawbackplan p WHERE p.id = NEW.plan_id"
            " AND p.state IN ('asked', 'proposed'))"
        ),
        "an approved plan gets no other instalments",
    )
    yield (
        "disbursement_receipt_within_demand",
        "disbursement_clawbackreceipt",
        "INSERT",
        (
            f"ROUND({_RECEIVED.format(of='NEW.clawback_id')} + NEW.applied, 2) >"
            f" ROUND({_OWED.format(of='NEW.clawback_id')}, 2)"
        ),
        "no more is applied than is owed",
    )
    yield (
        "disbursement_receipt_excess",
        "disbursement_clawbackreceipt",
        "INSERT",
        (
            f"NEW.excess > 0 AND ROUND({_RECEIVED.format(of='NEW.clawback_id')} + NEW.applied, 2) <"
            f" ROUND({_OWED.format(of='NEW.clawback_id')}, 2)"
        ),
        "nothing is left over while something is owed",
    )
    yield (
        "disbursement_receipt_by_another",
        "disbursement_clawbackreceipt",
        "INSERT",
        (
            "EXISTS (SELECT 1 FROM disbursement_clawback c WHERE c.id = NEW.clawback_id"
            " AND c.ordered_by_id = NEW.recorded_by_id)"
        ),
        "whoever demanded money back does not confirm that it came",
    )
    yield (
        "disbursement_receipt_of_set_off",
        "disbursement_clawbackreceipt",
        "INSERT",
        (
            "NEW.set_off_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM disbursement_setoff s WHERE s.id = NEW.set_off_id"
            " AND s.clawback_id = NEW.clawback_id AND s.amount = NEW.amount AND NEW.excess = 0)"
        ),
        "a set-off counts for as much as was set off",
    )
    yield from _entries()
    yield (
        "disbursement_clawback_whole",
        "disbursement_clawback",
        "UPDATE",
        (
            "OLD.recovered_at IS NULL AND NEW.recovered_at IS NOT NULL AND"
            f" ROUND({_RECEIVED.format(of='NEW.id')}, 2) <> ROUND(NEW.amount, 2)"
        ),
        "a demand is over once all of it came back",
    )
    yield (
        "disbursement_setoff_own",
        "disbursement_setoff",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_payable p JOIN disbursement_clawback c ON c.id = NEW.clawback_id"
            " JOIN disbursement_payable d ON d.id = c.payable_id WHERE p.id = NEW.payable_id"
            " AND p.enterprise_id = d.enterprise_id AND p.amount = NEW.amount AND p.state IN ('reserved', 'held')"
            " AND c.ordered_by_id <> NEW.decided_by_id AND c.recovered_at IS NULL)"
        ),
        "what is set off is owed to the same enterprise, whole, and decided by another",
    )
    yield (
        "disbursement_takeover_moves",
        "disbursement_takeover",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_payable p JOIN registry_budgetline f ON f.id = NEW.from_line_id"
            " JOIN registry_budgetline t ON t.id = NEW.to_line_id WHERE p.id = NEW.payable_id"
            " AND p.budget_line_id = f.id AND p.amount >= NEW.amount AND p.state IN ('paid', 'settled', 'clawback')"
            " AND t.code = f.code AND t.year > f.year) OR EXISTS"
            " (SELECT 1 FROM disbursement_yearend y WHERE y.line_id = NEW.to_line_id)"
        ),
        "a payment is taken over by the line that succeeded its own and is still open",
    )
    yield (
        "disbursement_cycle_cut_off_day",
        "disbursement_cycle",
        "UPDATE",
        (
            "OLD.cut_off_on <> NEW.cut_off_on AND (OLD.cut_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM"
            " disbursement_cutoffday d WHERE d.month = NEW.month AND d.day = NEW.cut_off_on AND d.former ="
            " OLD.cut_off_on AND NOT EXISTS (SELECT 1 FROM disbursement_cutoffday l"
            " WHERE l.month = d.month AND l.id > d.id)))"
        ),
        "the cut-off day of a month moves only by a decision, and before it is cut off",
    )
    yield (
        "disbursement_cycle_as_decided",
        "disbursement_cycle",
        "INSERT",
        (
            "EXISTS (SELECT 1 FROM disbursement_cutoffday d WHERE d.month = NEW.month AND d.day <> NEW.cut_off_on"
            " AND NOT EXISTS (SELECT 1 FROM disbursement_cutoffday l WHERE l.month = d.month AND l.id > d.id))"
        ),
        "a month opens with the cut-off day that was last decided",
    )
    yield (
        "disbursement_cutoffday_follows",
        "disbursement_cutoffday",
        "INSERT",
        (
            "EXISTS (SELECT 1 FROM disbursement_cutoffday d WHERE d.month = NEW.month AND d.day <> NEW.former"
            " AND NOT EXISTS (SELECT 1 FROM disbursement_cutoffday l WHERE l.month = d.month AND l.id > d.id))"
            " OR EXISTS (SELECT 1 FROM disbursement_cycle c WHERE c.month = NEW.month"
            " AND (c.cut_off_on <> NEW.former OR c.cut_at IS NOT NULL))"
        ),
        "a decision on a cut-off day starts from the day that stands, before it is cut off",
    )


def _entries() -> Iterator[tuple[str, str, str, str, str]]:
    """Whatever people record as come in or given back names the bank's entry, which is recorded once."""
    yield (
        "disbursement_receipt_has_entry",
        "disbursement_clawbackreceipt",
        "INSERT",
        (
            "NEW.set_off_id IS NULL AND NOT EXISTS (SELECT 1 FROM disbursement_bankentry e"
            " WHERE e.reference = NEW.reference AND e.clawback_id = NEW.clawback_id)"
        ),
        "what came in names its entry at the bank",
    )
    yield (
        "disbursement_receipt_returned_once",
        "disbursement_clawbackreceipt",
        "UPDATE",
        (
            "OLD.returned_reference <> NEW.returned_reference AND (OLD.returned_reference <> '' OR NOT EXISTS"
            " (SELECT 1 FROM disbursement_bankentry e WHERE e.reference = NEW.returned_reference"
            " AND e.receipt_id = NEW.id))"
        ),
        "an excess is given back once, by an entry at the bank",
    )
    yield (
        "disbursement_attempt_refund_named",
        "disbursement_paymentattempt",
        "UPDATE",
        (
            "OLD.outcome <> NEW.outcome AND NEW.outcome = 'refunded' AND NOT EXISTS (SELECT 1 FROM"
            " disbursement_bankentry e WHERE e.attempt_id = NEW.id) AND NOT EXISTS (SELECT 1 FROM"
            " disbursement_returnline l WHERE l.attempt_id = NEW.id AND l.status = 'posted' AND l.result = 'refunded')"
        ),
        "a refund is answered by the bank, or names its entry there",
    )
    yield (
        "disbursement_bankentry_not_posted",
        "disbursement_bankentry",
        "INSERT",
        (
            "EXISTS (SELECT 1 FROM disbursement_returnline l WHERE l.reference = NEW.reference"
            " AND l.status = 'posted' AND l.result IN ('bounced', 'refunded'))"
        ),
        "an entry that a return file posted is not recorded again",
    )
    yield (
        "disbursement_repaymentaccount_decided_once",
        "disbursement_repaymentaccount",
        "UPDATE",
        "OLD.decision <> '' AND (OLD.decision <> NEW.decision OR OLD.note <> NEW.note)",
        "an account to pay back to is decided on once",
    )
    yield (
        "disbursement_repaymentaccount_begins",
        "disbursement_repaymentaccount",
        "INSERT",
        "NEW.decision <> ''",
        "an account to pay back to begins by being proposed",
    )
