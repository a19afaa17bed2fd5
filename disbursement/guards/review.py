"""The triggers of the review: opinions and findings are given once and by whom; desks change hands in order."""

from __future__ import annotations

from collections.abc import Iterator

APPEND_ONLY = (
    "disbursement_expertpaper",
    "disbursement_expertvoice",
    "disbursement_handover",
    "disbursement_qualitydraw",
    "disbursement_sitevisit",
    "disbursement_visitphoto",
)
NEVER_DELETED = (
    "disbursement_absence",
    "disbursement_bulkrow",
    "disbursement_bulkrun",
    "disbursement_jointreview",
    "disbursement_qualitycheck",
)
FROZEN = {
    "disbursement_absence": (
        "person_id",
        "deputy_id",
        "starts_on",
        "ends_on",
        "reason",
        "declared_by_id",
        "declared_at",
    ),
    "disbursement_bulkrow": ("run_id", "application_id", "revision"),
    "disbursement_bulkrun": ("key", "deed", "note", "asked_by_id", "asked_at"),
    "disbursement_jointreview": (
        "application_id",
        "round",
        "department_id",
        "question",
        "limit",
        "silence_consents",
        "asked_by_id",
        "asked_at",
    ),
    "disbursement_qualitycheck": ("draw_id", "application_id", "promise_id", "stratum", "decided_by_id"),
}
ONCE = {
    "disbursement_absence": ("ended_at",),
    "disbursement_bulkrow": ("done_at",),
    "disbursement_jointreview": ("at", "by_id"),
    "disbursement_qualitycheck": ("checked_at", "checked_by_id"),
}


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """(name, table, event, condition, message), as `Guard` takes them."""
    for table, column in (
        ("disbursement_jointreview", "answer"),
        ("disbursement_jointreview", "text"),
        ("disbursement_qualitycheck", "finding"),
        ("disbursement_qualitycheck", "text"),
        ("disbursement_bulkrow", "outcome"),
    ):
        given = {"disbursement_jointreview": "at", "disbursement_qualitycheck": "checked_at"}.get(table, "done_at")
        yield (
            f"{table}_{column}_stays",
            table,
            "UPDATE",
            f"OLD.{given} IS NOT NULL AND OLD.{column} DIFFERS NEW.{column}",
            f"{table}: what was answered stays answered",
        )
    yield (
        "disbursement_jointreview_by_whom",
        "disbursement_jointreview",
        "UPDATE",
        (
            "NEW.by_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM disbursement_participation p"
            " WHERE p.application_id = NEW.application_id AND p.user_id = NEW.by_id AND p.role ="
            " CASE WHEN NEW.answer = 'recalled' THEN 'reviewer' ELSE 'joint_reviewer' END)"
        ),
        "an opinion is given by whoever takes part for the department, and recalled by whoever reviews",
    )
    yield (
        "disbursement_jointreview_begins",
        "disbursement_jointreview",
        "INSERT",
        "NEW.at IS NOT NULL",
        "a department is asked before it answers",
    )
    for table in ("disbursement_expertvoice", "disbursement_expertpaper"):
        yield (
            f"{table}_of_experts",
            table,
            "INSERT",
            ("NOT EXISTS (SELECT 1 FROM disbursement_opinion o WHERE o.id = NEW.opinion_id AND o.kind = 'expert')"),
            "experts stand behind the opinion of experts alone",
        )
    yield (
        "disbursement_transitionlog_gathered",
        "disbursement_transitionlog",
        "INSERT",
        (
            "NEW.action = 'gather_opinions' AND EXISTS (SELECT 1 FROM disbursement_jointreview j"
            " WHERE j.application_id = NEW.application_id AND j.at IS NULL)"
        ),
        "opinions are gathered once every department has answered",
    )
    yield (
        "disbursement_transitionlog_deputy",
        "disbursement_transitionlog",
        "INSERT",
        (
            "NEW.for_person_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM disbursement_participation p"
            " WHERE p.application_id = NEW.application_id AND p.user_id = NEW.for_person_id AND p.role = NEW.role)"
        ),
        "who is stood in for takes part in the same role",
    )
    yield (
        "disbursement_sitevisit_by_whom",
        "disbursement_sitevisit",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_application a JOIN disbursement_participation p"
            " ON p.application_id = a.id WHERE a.id = NEW.application_id AND a.state = 'site_visit'"
            " AND p.user_id = NEW.recorded_by_id AND p.role = 'reviewer')"
        ),
        "a visit is recorded by its reviewer while it is under way",
    )
    yield (
        "disbursement_handover_from_whom",
        "disbursement_handover",
        "INSERT",
        (
            "NOT EXISTS (SELECT 1 FROM disbursement_application a WHERE a.id = NEW.application_id"
            " AND COALESCE(a.handler_id, 0) = COALESCE(NEW.giver_id, 0))"
        ),
        "an application is handed over by whoever has it",
    )
    yield (
        "disbursement_absence_once_at_a_time",
        "disbursement_absence",
        "INSERT",
        (
            "EXISTS (SELECT 1 FROM disbursement_absence a WHERE a.person_id = NEW.person_id AND a.ended_at IS NULL"
            " AND a.starts_on <= NEW.ends_on AND a.ends_on >= NEW.starts_on)"
        ),
        "nobody is away twice at once",
    )
    yield (
        "disbursement_qualitycheck_by_another",
        "disbursement_qualitycheck",
        "UPDATE",
        (
            "NEW.checked_by_id IS NOT NULL AND EXISTS (SELECT 1 FROM disbursement_participation p"
            " WHERE p.application_id = NEW.application_id AND p.user_id = NEW.checked_by_id)"
        ),
        "whoever took part does not check the quality of it",
    )
