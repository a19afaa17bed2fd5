"""The triggers of the states: each moves only as its table says, and only with its log.

The pairs come from `disbursement.domain.workflow`. A step is logged first and done second, in one transaction: the log
row must start from the state that the thing is in, and the state may only go where the latest log row went. Rows of
(name, table, event, condition, message), as `Guard` takes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from disbursement.domain.workflow import BATCH, CYCLE, PAYABLE, Table

Row = tuple[str, str, str, str, str]
_SUBJECTS: tuple[tuple[str, Table[Any, Any]], ...] = (("payable", PAYABLE), ("batch", BATCH), ("cycle", CYCLE))
# What a bank account may become: nothing leads back to “checked”.
ACCOUNT_MOVES = (("proposed", "checked"), ("proposed", "refused"), ("proposed", "retired"), ("checked", "retired"))
# What a line of a batch may become; a bank's payment after its bounce is a person's finding.
ATTEMPT_MOVES = (
    ("pending", "withdrawn"),
    ("pending", "paid"),
    ("pending", "bounced"),
    ("pending", "refunded"),
    ("paid", "bounced"),
    ("paid", "refunded"),
    ("bounced", "paid"),
)
# Which transfer of the ledger an outcome stands on.
OUTCOME_TRANSFERS = {"paid": ("pay",), "bounced": ("uncommit",), "refunded": ("refund",)}


def rows() -> Iterator[Row]:
    known = ", ".join(
        f"'{name}/{row.source.value}/{row.action.value}/{role.value}/{row.target.value}'"
        for name, table in _SUBJECTS
        for row in table
        for role in sorted(row.roles)
    )
    yield (
        "disbursement_statechange_table",
        "disbursement_statechange",
        "INSERT",
        (
            "(CASE WHEN NEW.payable_id IS NOT NULL THEN 'payable' WHEN NEW.batch_id IS NOT NULL THEN 'batch'"
            " ELSE 'cycle' END || '/' || NEW.source || '/' || NEW.action || '/' || NEW.role || '/' || NEW.target)"
            f" NOT IN ({known})"
        ),
        "the transition table knows no such step of a payable, batch or cycle",
    )
    for name, _table in _SUBJECTS:
        yield (
            f"disbursement_statechange_{name}_follows",
            "disbursement_statechange",
            "INSERT",
            (
                f"NEW.{name}_id IS NOT NULL AND NEW.source DIFFERS"
                f" (SELECT s.state FROM disbursement_{name} s WHERE s.id = NEW.{name}_id)"
            ),
            f"a step starts from the state that the {name} is in",
        )
        yield (
            f"disbursement_{name}_moves",
            f"disbursement_{name}",
            "UPDATE",
            (
                # One row looked up for each that changes: a join with the log would read all of it for each statement.
                "OLD.state <> NEW.state AND OLD.state || '/' || NEW.state DIFFERS"
                " (SELECT s.source || '/' || s.target FROM disbursement_statechange s"
                f" WHERE s.{name}_id = NEW.id ORDER BY s.id DESC LIMIT 1)"
            ),
            f"the state of a {name} changes only with its log",
        )
    yield (
        "disbursement_attempt_moves",
        "disbursement_paymentattempt",
        "UPDATE",
        f"OLD.outcome <> NEW.outcome AND (OLD.outcome || '/' || NEW.outcome) NOT IN ({_pairs(ATTEMPT_MOVES)})",
        "a line of a batch ends only as a payment can end",
    )
    stands = " OR ".join(
        f"(NEW.outcome = '{outcome}' AND t.kind IN ({', '.join(repr(kind) for kind in kinds)}))"
        for outcome, kinds in OUTCOME_TRANSFERS.items()
    )
    # Nothing is undone in the books of a closed year: what bounces then is given back on the line that took it over.
    stands += (
        " OR (NEW.outcome = 'bounced' AND t.kind = 'refund' AND EXISTS"
        " (SELECT 1 FROM disbursement_takeover k WHERE k.payable_id = NEW.payable_id))"
    )
    yield (
        "disbursement_attempt_posted",
        "disbursement_paymentattempt",
        "UPDATE",
        (
            "OLD.outcome <> NEW.outcome AND NEW.outcome IN ('paid', 'bounced', 'refunded') AND NOT EXISTS"
            f" (SELECT 1 FROM disbursement_ledgertransfer t WHERE t.attempt_id = NEW.id AND ({stands}))"
        ),
        "the outcome of a line follows what was posted on it",
    )
    yield (
        "disbursement_payeeaccount_moves",
        "disbursement_payeeaccount",
        "UPDATE",
        f"OLD.state <> NEW.state AND (OLD.state || '/' || NEW.state) NOT IN ({_pairs(ACCOUNT_MOVES)})",
        "a bank account is checked once, and never again in use once it is not",
    )


def _pairs(moves: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"'{source}/{target}'" for source, target in moves)
