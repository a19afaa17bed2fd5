"""The triggers around accounts that money goes to: proofs stay, and nothing is paid again to the account from which it
came back without two people.
"""

from __future__ import annotations

from collections.abc import Iterator

APPEND_ONLY = ("disbursement_accountproof",)
NEVER_DELETED = ("disbursement_reissue",)
FROZEN = {"disbursement_reissue": ("payable_id", "attempt_id", "reason", "proposed_by_id", "proposed_at")}
ONCE = {"disbursement_reissue": ("approved", "decided_by_id", "decided_at")}


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """(name, table, event, condition, message), as `Guard` takes them."""
    yield (
        "disbursement_reissue_decided",
        "disbursement_statechange",
        "INSERT",
        (
            "NEW.action = 'reissue' AND NOT EXISTS (SELECT 1 FROM disbursement_reissue r"
            " WHERE r.payable_id = NEW.payable_id AND r.approved AND r.decided_by_id = NEW.person_id"
            " AND r.decided_at = NEW.made_at)"
        ),
        "paying again to the same account takes two people",
    )
    yield (
        "disbursement_reissue_of_a_bounce",
        "disbursement_reissue",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_paymentattempt a"
            " WHERE a.id = NEW.attempt_id AND a.payable_id = NEW.payable_id AND a.outcome = 'bounced')"
        ),
        "only what bounced is paid again",
    )
