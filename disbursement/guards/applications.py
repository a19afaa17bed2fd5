"""The triggers of the application side: a state moves only as the table and the log say, and what was told stays told.

Rows of (name, table, event, condition, message), as `Guard` takes them.
"""

from __future__ import annotations

from collections.abc import Iterator

from disbursement.domain.workflow import APPLICATION

APPEND_ONLY = ("disbursement_clockcard", "disbursement_correctionitem")
NEVER_DELETED = (
    "disbursement_appeal",
    "disbursement_application",
    "disbursement_correction",
    "disbursement_counter",
    "disbursement_interestdeclaration",
    "disbursement_material",
    "disbursement_objection",
    "disbursement_promise",
    "disbursement_publicity",
    "disbursement_rating",
    "disbursement_rectification",
    "disbursement_toleratedgap",
)
_ALWAYS = {
    "disbursement_appeal": ("application_id", "grounds", "filed_by_id", "filed_at"),
    "disbursement_application": ("enterprise_id", "item_id", "created_by_id", "created_at"),
    "disbursement_correction": ("application_id", "stage", "round", "asked_by_id", "asked_at", "due_on", "late_reason"),
    "disbursement_interestdeclaration": ("user_id", "enterprise_id", "reason", "declared_at"),
    "disbursement_material": ("application_id", "code", "file", "sha256", "size", "uploaded_by_id", "uploaded_at"),
    "disbursement_objection": ("publicity_id", "name", "text", "received_at"),
    "disbursement_promise": ("application_id", "material_code", "text", "signed_by_id", "signed_at"),
    "disbursement_publicity": (
        "application_id",
        "starts_on",
        "ends_on",
        "amount",
        "checklist",
        "opened_by_id",
        "opened_at",
    ),
    "disbursement_rating": ("application_id", "level", "comment", "rated_by_id", "rated_at"),
    "disbursement_stepclock": ("application_id", "step", "statutory_limit", "promised_limit", "started_on"),
    "disbursement_toleratedgap": ("application_id", "material_code", "promised_by"),
}
# Written once: empty before, for ever afterwards.
_ONCE = {
    "disbursement_application": ("number", "submitted_at", "closed_at"),
    "disbursement_correction": ("supplied_at", "lapsed_at"),
    "disbursement_interestdeclaration": ("ended_at",),
    "disbursement_material": ("replaced_at",),
    "disbursement_objection": ("sustained", "answered_at"),
    "disbursement_promise": ("kept", "checked_at"),
    "disbursement_publicity": ("closed_at",),
    "disbursement_rectification": ("answered_at", "answered_by_id"),
    "disbursement_toleratedgap": ("filled_at", "granted_at"),
}

Row = tuple[str, str, str, str, str]


def rows() -> Iterator[Row]:
    for table, columns in _ALWAYS.items():
        differ = " OR ".join(f"OLD.{column} DIFFERS NEW.{column}" for column in columns)
        yield f"{table}_frozen", table, "UPDATE", differ, f"{table}: a column that never changes was changed"
    for table, columns in _ONCE.items():
        differ = " OR ".join(f"(OLD.{c} IS NOT NULL AND OLD.{c} DIFFERS NEW.{c})" for c in columns)
        yield f"{table}_once", table, "UPDATE", differ, f"{table}: a column that is written once was changed"
    yield (
        "disbursement_application_begins",
        "disbursement_application",
        "INSERT",
        "NEW.state <> 'draft' OR NEW.revision <> 0",
        "an application begins as a draft",
    )
    yield (
        "disbursement_application_moves",
        "disbursement_application",
        "UPDATE",
        (
            "(OLD.state <> NEW.state OR OLD.revision <> NEW.revision) AND (NEW.revision <> OLD.revision + 1"
            " OR NOT EXISTS (SELECT 1 FROM disbursement_transitionlog l WHERE l.application_id = NEW.id"
            " AND l.seq = NEW.revision AND l.source = OLD.state AND l.target = NEW.state))"
        ),
        "the state of an application changes only with its log",
    )
    yield (
        "disbursement_application_version",
        "disbursement_application",
        "UPDATE",
        "OLD.submitted_at IS NOT NULL AND OLD.version_id DIFFERS NEW.version_id",
        "a submitted application keeps its policy version",
    )
    yield (
        "disbursement_transitionlog_table",
        "disbursement_transitionlog",
        "INSERT",
        f"(NEW.source || '/' || NEW.action || '/' || NEW.role || '/' || NEW.target) NOT IN ({_transitions()})",
        "the transition table knows no such step",
    )
    yield (
        "disbursement_transitionlog_follows",
        "disbursement_transitionlog",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_application a WHERE a.id = NEW.application_id"
            " AND a.state = NEW.source AND a.revision = NEW.seq - 1)"
        ),
        "a step starts from the state that the application is in",
    )
    yield (
        "disbursement_transitionlog_role",
        "disbursement_transitionlog",
        "INSERT",
        (
            "NEW.actor_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM disbursement_participation p"
            " WHERE p.application_id = NEW.application_id AND p.user_id = NEW.actor_id AND p.role = NEW.role)"
        ),
        "nobody acts on one application in two roles",
    )
    yield (
        "disbursement_rectification_low",
        "disbursement_rectification",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM disbursement_rating r WHERE r.id = NEW.rating_id AND r.rectify_by = NEW.due_on)",
        "a rectification belongs to a low rating, with its deadline",
    )


def _transitions() -> str:
    return ", ".join(
        f"'{row.source.value}/{row.action.value}/{role.value}/{row.target.value}'"
        for row in APPLICATION
        for role in sorted(row.roles)
    )
