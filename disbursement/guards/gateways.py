"""The triggers of sendings: one key for ever, what arrived has arrived, no other way once something may have left."""

from __future__ import annotations

from collections.abc import Iterator

NEVER_DELETED = ("disbursement_delivery",)
FROZEN = {"disbursement_delivery": ("sealed_file_id", "key", "planned_at")}


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
