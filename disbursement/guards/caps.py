"""The triggers of caps and budgets: caps that awards cannot pass, papers that lend no more than they have, lines that
keep what is reserved, frozen lines that reserve nothing, and years that are over.
"""

from __future__ import annotations

from collections.abc import Iterator

APPEND_ONLY = (
    "disbursement_capuse",
    "disbursement_carryover",
    "disbursement_choice",
    "disbursement_limiteditem",
    "disbursement_yearend",
)
NEVER_DELETED = ("disbursement_awardlimit", "disbursement_budgetchange", "disbursement_paper")
FROZEN = {
    "disbursement_awardlimit": (
        *("name", "basis", "covers_all", "is_exclusive", "per_year", "total", "fact", "fact_share"),
        *("from_year", "until_year", "declared_by_id", "declared_at"),
    ),
    "disbursement_budgetchange": (
        *("kind", "line_id", "to_line_id", "amount", "paper_number", "reason", "proposed_by_id", "proposed_at"),
    ),
    "disbursement_paper": ("kind", "key"),
}
ONCE = {
    "disbursement_awardlimit": ("ended_at", "ended_by_id"),
    "disbursement_budgetchange": ("approved", "decided_by_id", "decided_at"),
    "disbursement_claimedinvoice": ("released_at",),
}
# As `selectors.granted.NOT_KEPT`, which a test compares.
_KEPT = "p.state NOT IN ('cancelled', 'refunded', 'clawback', 'clawed_back')"
# As `services.award.claims.GIVEN_BACK`, which a test compares.
_GIVEN_BACK = "'cancelled', 'refunded', 'clawed_back'"
_COVERS = (
    "(l.covers_all OR EXISTS (SELECT 1 FROM disbursement_limiteditem m JOIN matching_policyitem i ON i.id = m.item_id"
    " WHERE m.limit_id = l.id AND i.code = {code}))"
)
_IN_FORCE = "l.ended_at IS NULL AND l.from_year <= NEW.year AND COALESCE(l.until_year, 9999) >= NEW.year"


def _had(year: str = "") -> str:
    """What the enterprise was granted before under the limit `l`, and keeps."""
    covered = _COVERS.format(code="a.item_code")
    return (
        "COALESCE((SELECT SUM(p.amount) FROM disbursement_payable p JOIN disbursement_award a ON a.id = p.award_id"
        f" WHERE a.enterprise_id = NEW.enterprise_id{year} AND {_KEPT} AND {covered}), 0)"
    )


def _limit(condition: str) -> str:
    covered = _COVERS.format(code="NEW.item_code")
    return f"EXISTS (SELECT 1 FROM disbursement_awardlimit l WHERE {_IN_FORCE} AND {covered} AND {condition})"


_YEAR = " AND a.year = NEW.year"
_OTHERS = f"{_YEAR} AND a.item_code <> NEW.item_code"
_CLOSED = (
    "EXISTS (SELECT 1 FROM disbursement_yearend y JOIN disbursement_ledgeraccount a ON a.budget_line_id = y.line_id"
    " WHERE a.id = NEW.debit_id)"
)
_BOUND = (
    "COALESCE((SELECT SUM(a.balance) FROM disbursement_ledgeraccount a WHERE a.budget_line_id = NEW.id"
    " AND a.kind IN ('reserved', 'committed', 'paid', 'receivable')), 0)"
)


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """(name, table, event, condition, message), as `Guard` takes them."""
    yield (
        "disbursement_award_per_year",
        "disbursement_award",
        "INSERT",
        _limit(f"l.per_year IS NOT NULL AND ROUND({_had(_YEAR)} + NEW.amount, 2) > l.per_year"),
        "an award stays within the yearly caps of its enterprise",
    )
    yield (
        "disbursement_award_total",
        "disbursement_award",
        "INSERT",
        _limit(f"l.total IS NOT NULL AND ROUND({_had()} + NEW.amount, 2) > l.total"),
        "an award stays within the total caps of its enterprise",
    )
    yield (
        "disbursement_award_exclusive",
        "disbursement_award",
        "INSERT",
        _limit(f"l.is_exclusive AND {_had(_OTHERS)} > 0 AND ROUND({_had(_OTHERS)} + NEW.amount, 2) > NEW.computed"),
        "of items that exclude each other an enterprise keeps only the highest",
    )
    yield (
        "disbursement_claim_within_paper",
        "disbursement_claimedinvoice",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_paper d WHERE d.id = NEW.paper_id AND d.amount = NEW.amount"
            " AND ROUND(NEW.used + COALESCE((SELECT SUM(c.used) FROM disbursement_claimedinvoice c"
            " WHERE c.paper_id = d.id AND c.released_at IS NULL), 0), 2) <= d.amount)"
        ),
        "awards together use no more of an invoice or contract than it has",
    )
    yield (
        "disbursement_claim_released_unkept",
        "disbursement_claimedinvoice",
        "UPDATE",
        (
            "OLD.released_at IS NULL AND NEW.released_at IS NOT NULL AND EXISTS (SELECT 1 FROM disbursement_payable p"
            f" WHERE p.application_id = NEW.application_id AND p.state NOT IN ({_GIVEN_BACK}))"
        ),
        "a paper is left to others once nothing of its award is owed or kept",
    )
    yield (
        "disbursement_paper_amount",
        "disbursement_paper",
        "UPDATE",
        (
            "OLD.amount DIFFERS NEW.amount AND EXISTS (SELECT 1 FROM disbursement_claimedinvoice c"
            " WHERE c.paper_id = NEW.id AND c.released_at IS NULL)"
        ),
        "the amount of a paper is fixed while an award stands on it",
    )
    yield (
        "registry_budgetline_keeps_bound",
        "registry_budgetline",
        "UPDATE",
        f"OLD.ceiling DIFFERS NEW.ceiling AND NEW.ceiling < ROUND({_BOUND}, 2)",
        "a budget line keeps what is reserved, committed or paid on it",
    )
    yield (
        "registry_budgetline_closed",
        "registry_budgetline",
        "UPDATE",
        (
            "(OLD.ceiling DIFFERS NEW.ceiling OR OLD.year <> NEW.year OR OLD.code <> NEW.code)"
            " AND EXISTS (SELECT 1 FROM disbursement_yearend y WHERE y.line_id = NEW.id)"
        ),
        "a closed budget line does not change",
    )
    yield (
        "disbursement_transfer_closed",
        "disbursement_ledgertransfer",
        "INSERT",
        _CLOSED,
        "nothing is posted to a line whose year is closed",
    )
    yield (
        "disbursement_transfer_frozen",
        "disbursement_ledgertransfer",
        "INSERT",
        (
            "NEW.kind = 'reserve' AND 'freeze' = (SELECT c.kind FROM disbursement_budgetchange c"
            " JOIN disbursement_ledgeraccount a ON a.budget_line_id = c.line_id WHERE a.id = NEW.debit_id"
            " AND c.approved AND c.kind IN ('freeze', 'unfreeze') ORDER BY c.decided_at DESC, c.id DESC LIMIT 1)"
        ),
        "nothing is reserved on a frozen line",
    )
    yield (
        "disbursement_yearend_settled",
        "disbursement_yearend",
        "INSERT",
        (
            "EXISTS (SELECT 1 FROM disbursement_ledgeraccount a WHERE a.budget_line_id = NEW.line_id"
            " AND a.kind IN ('appropriated', 'reserved', 'committed', 'receivable') AND a.balance <> 0)"
        ),
        "a line is closed once nothing on it is free, reserved, committed or asked back",
    )
    yield (
        "disbursement_carryover_moves",
        "disbursement_carryover",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_payable p JOIN registry_budgetline f ON f.id = NEW.from_line_id"
            " JOIN registry_budgetline t ON t.id = NEW.to_line_id WHERE p.id = NEW.payable_id"
            " AND p.budget_line_id = f.id AND p.amount = NEW.amount AND t.code = f.code AND t.year = f.year + 1)"
        ),
        "a payable is carried over from its line to the same line of the next year",
    )
