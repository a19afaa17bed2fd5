"""The triggers of forecasts and supervision: what was forecast, warned of and entered stays; answers are given once."""

from __future__ import annotations

from collections.abc import Iterator

APPEND_ONLY = ("disbursement_clockwarning", "disbursement_payforecast", "disbursement_supervisionentry")
NEVER_DELETED = ("disbursement_entryappeal", "disbursement_urging")
FROZEN = {
    "disbursement_entryappeal": ("entry_id", "grounds", "filed_by_id", "filed_at"),
    "disbursement_urging": (
        *("department_id", "person_id", "application_id", "entry_id"),
        *("text", "due_on", "sent_by_id", "sent_at"),
    ),
}
ONCE = {
    "disbursement_entryappeal": ("is_struck", "decided_by_id", "decided_at"),
    "disbursement_urging": ("replied_by_id", "replied_at", "is_settled", "closed_by_id", "closed_at"),
}


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """(name, table, event, condition, message), as `Guard` takes them."""
    for table, column, given in (
        ("disbursement_entryappeal", "decision", "decided_at"),
        ("disbursement_urging", "reply", "replied_at"),
        ("disbursement_urging", "closing", "closed_at"),
    ):
        yield (
            f"{table}_{column}_stays",
            table,
            "UPDATE",
            f"OLD.{given} IS NOT NULL AND OLD.{column} DIFFERS NEW.{column}",
            f"{table}: what was answered stays answered",
        )
    yield (
        "disbursement_entryappeal_begins",
        "disbursement_entryappeal",
        "INSERT",
        "NEW.is_struck IS NOT NULL",
        "a line is contested before it is struck out",
    )
    yield (
        "disbursement_entryappeal_not_ones_own",
        "disbursement_entryappeal",
        "UPDATE",
        (
            "NEW.decided_by_id IS NOT NULL AND EXISTS (SELECT 1 FROM disbursement_supervisionentry e"
            " WHERE e.id = NEW.entry_id AND e.person_id = NEW.decided_by_id)"
        ),
        "nobody strikes out what charges themselves",
    )
    yield (
        "disbursement_urging_begins",
        "disbursement_urging",
        "INSERT",
        "NEW.replied_at IS NOT NULL OR NEW.closed_at IS NOT NULL",
        "a department is urged before it answers",
    )
    yield (
        "disbursement_payforecast_follows",
        "disbursement_payforecast",
        "INSERT",
        (
            "NEW.seq > 1 AND NOT EXISTS (SELECT 1 FROM disbursement_payforecast f WHERE f.application_id ="
            " NEW.application_id AND f.instalment = NEW.instalment AND f.seq = NEW.seq - 1"
            " AND COALESCE(f.month, '0001-01-01') = COALESCE(NEW.previous, '0001-01-01'))"
        ),
        "a forecast follows the one before it",
    )
