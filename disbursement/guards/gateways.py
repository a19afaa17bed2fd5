"""The triggers of sendings: one key for ever, what arrived has arrived, no other way once something may have left, no
try while the bank is asked in writing.
"""

from __future__ import annotations

from collections.abc import Iterator

APPEND_ONLY = ("disbursement_deliveryroute",)
NEVER_DELETED = ("disbursement_bankinquiry", "disbursement_delivery")
FROZEN = {
    "disbursement_bankinquiry": ("delivery_id", "asked_by_id", "asked_at"),
    "disbursement_delivery": ("sealed_file_id", "key", "planned_at"),
}
ONCE = {
    "disbursement_bankinquiry": (
        *("has_file", "written_on", "entered_by_id", "entered_at"),
        *("approved", "ended_by_id", "ended_at"),
    )
}


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """(name, table, event, condition, message), as `Guard` takes them."""
    yield (
        "disbursement_delivery_done",
        "disbursement_delivery",
        "UPDATE",
        "OLD.state = 'done' AND (NEW.state <> 'done' OR OLD.gateway_id DIFFERS NEW.gateway_id)",
        "what the bank has stays handed over",
    )
    yield (
        "disbursement_delivery_tries",
        "disbursement_delivery",
        "UPDATE",
        "NEW.tries < OLD.tries",
        "a try is not taken back",
    )
    yield (
        "disbursement_delivery_way",
        "disbursement_delivery",
        "UPDATE",
        (
            "OLD.gateway_id DIFFERS NEW.gateway_id AND OLD.state <> 'refused'"
            " AND (OLD.tried_at IS NOT NULL OR OLD.state IN ('done', 'by_hand'))"
        ),
        "what may have left one way goes no other, unless it was refused there",
    )
    # What left one way and was answered for is paid there, and of what is asked about nobody knows.
    yield (
        "disbursement_delivery_way_open",
        "disbursement_delivery",
        "UPDATE",
        (
            "OLD.gateway_id DIFFERS NEW.gateway_id AND (EXISTS (SELECT 1 FROM disbursement_bankinquiry i"
            " WHERE i.delivery_id = NEW.id AND i.ended_at IS NULL) OR (SELECT b.state FROM disbursement_batch b"
            " JOIN disbursement_sealedfile f ON f.batch_id = b.id WHERE f.id = NEW.sealed_file_id) <> 'sealed')"
        ),
        "a file that was sent, answered for or asked about goes no other way",
    )
    yield (
        "disbursement_delivery_asked",
        "disbursement_delivery",
        "UPDATE",
        (
            "NEW.tries > OLD.tries AND EXISTS (SELECT 1 FROM disbursement_bankinquiry i"
            " WHERE i.delivery_id = NEW.id AND i.ended_at IS NULL)"
        ),
        "no try while the bank is asked in writing",
    )
    yield (
        "disbursement_bankinquiry_letter",
        "disbursement_bankinquiry",
        "UPDATE",
        (
            "OLD.entered_at IS NOT NULL AND (OLD.paper_number <> NEW.paper_number OR OLD.text <> NEW.text"
            " OR OLD.reference <> NEW.reference)"
        ),
        "what the bank wrote stays as it was entered",
    )
    yield (
        "disbursement_deliveryroute_way",
        "disbursement_deliveryroute",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_delivery d WHERE d.id = NEW.delivery_id"
            " AND d.gateway_id = NEW.to_gateway_id)"
        ),
        "what is written down of a way is the way that the file goes",
    )
