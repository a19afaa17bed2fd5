"""The triggers of the paths of delivery: an offer moves with its log, a consent names what was shown, and the machine
takes no step of a review but what a passed verification says.
"""

from __future__ import annotations

from collections.abc import Iterator

from disbursement.domain.delivery import OFFER

APPEND_ONLY = (
    "disbursement_lanechoice",
    "disbursement_machinedraw",
    "disbursement_machineverification",
    "disbursement_offeredition",
    "disbursement_offerevent",
)
NEVER_DELETED = ("disbursement_offer", "disbursement_timepromise")
FROZEN = {
    "disbursement_offer": ("enterprise_id", "item_id", "year", "opened_at"),
    "disbursement_timepromise": ("application_id", "days", "promised_on", "due_on", "pay_month"),
}
ONCE = {
    "disbursement_offer": ("application_id", "answered_by_id", "answered_at"),
    "disbursement_timepromise": ("broken_on", "ended_on", "used", "kept"),
}
# Which step of the review each act of the machine belongs to. From publicity on, the calendar decides, as ever.
_STEPS = (
    ("accepts", "NEW.action = 'accept'"),
    ("reviews", "NEW.action IN ('start_review', 'recommend_approval')"),
    ("decides", "(NEW.action = 'publicise' OR (NEW.action = 'approve' AND NEW.source = 'second_review'))"),
)


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """(name, table, event, condition, message), as `Guard` takes them."""
    known = ", ".join(
        f"'{row.source.value}/{row.action.value}/{role.value}/{row.target.value}'"
        for row in OFFER
        for role in sorted(row.roles)
    )
    yield (
        "disbursement_offer_begins",
        "disbursement_offer",
        "INSERT",
        "NEW.state <> 'open' OR NEW.revision <> 0 OR NEW.edition <> 1",
        "an offer begins open, with its first edition",
    )
    yield (
        "disbursement_offer_moves",
        "disbursement_offer",
        "UPDATE",
        (
            "(OLD.state <> NEW.state OR OLD.revision <> NEW.revision OR OLD.edition <> NEW.edition"
            " OR OLD.application_id DIFFERS NEW.application_id OR OLD.last_day <> NEW.last_day)"
            " AND (NEW.revision <> OLD.revision + 1 OR NOT EXISTS (SELECT 1 FROM disbursement_offerevent e"
            " WHERE e.offer_id = NEW.id AND e.seq = NEW.revision AND e.source = OLD.state AND e.target = NEW.state"
            " AND e.edition = NEW.edition))"
        ),
        "an offer changes only with its log",
    )
    yield (
        "disbursement_offer_application",
        "disbursement_offer",
        "UPDATE",
        (
            "NEW.application_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM disbursement_application a"
            " WHERE a.id = NEW.application_id AND a.enterprise_id = NEW.enterprise_id AND a.item_id = NEW.item_id"
            " AND a.submitted_at IS NOT NULL)"
        ),
        "a consent leads to an application of the same enterprise for the same item",
    )
    yield (
        "disbursement_offerevent_table",
        "disbursement_offerevent",
        "INSERT",
        f"(NEW.source || '/' || NEW.action || '/' || NEW.role || '/' || NEW.target) NOT IN ({known})",
        "the table of offers knows no such step",
    )
    yield (
        "disbursement_offerevent_follows",
        "disbursement_offerevent",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_offer o WHERE o.id = NEW.offer_id"
            " AND o.state = NEW.source AND o.revision = NEW.seq - 1)"
        ),
        "a step starts from the state that the offer is in",
    )
    yield (
        "disbursement_offerevent_seen",
        "disbursement_offerevent",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_offeredition e WHERE e.offer_id = NEW.offer_id"
            " AND e.seq = NEW.edition AND e.digest = NEW.digest) OR (NEW.action NOT IN ('revise', 'reopen')"
            " AND NEW.edition <> (SELECT o.edition FROM disbursement_offer o WHERE o.id = NEW.offer_id))"
        ),
        "a step names the edition that the offer shows, with its digest",
    )
    yield (
        "disbursement_machineverification_judged",
        "disbursement_machineverification",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_judgement j WHERE j.id = NEW.judgement_id"
            " AND j.application_id = NEW.application_id AND (j.verdict = 'eligible' OR NOT NEW.passed))"
        ),
        "the machine verifies what the criteria call eligible",
    )
    for column, acts in _STEPS:
        yield (
            f"disbursement_transitionlog_machine_{column}",
            "disbursement_transitionlog",
            "INSERT",
            (
                f"NEW.role = 'system' AND {acts} AND NOT EXISTS (SELECT 1 FROM disbursement_machineverification v"
                f" WHERE v.application_id = NEW.application_id AND v.{column})"
            ),
            "the machine takes no step of a review that it has not verified",
        )
    yield (
        "disbursement_timepromise_begins",
        "disbursement_timepromise",
        "INSERT",
        "NEW.broken_on IS NOT NULL OR NEW.ended_on IS NOT NULL",
        "a promise of time begins open",
    )
