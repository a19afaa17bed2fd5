"""The triggers of the evidence library: what was given stays given, and an application has the bytes of its version."""

from __future__ import annotations

from collections.abc import Iterator

APPEND_ONLY = (
    "disbursement_evidenceevent",
    "disbursement_evidenceversion",
    "disbursement_filereading",
)
NEVER_DELETED = (
    "disbursement_evidence",
    "disbursement_materialflag",
    "disbursement_storedfile",
)
FROZEN = {
    "disbursement_evidence": (
        "enterprise_id",
        "kind",
        "kind_name",
        "source",
        "department_id",
        "opened_by_id",
        "opened_at",
    ),
    "disbursement_materialflag": ("material_id", "reason", "raised_at"),
    "disbursement_storedfile": ("sha256", "path", "size", "content_type", "stored_at"),
}
ONCE = {
    "disbursement_evidence": ("withdrawn_at", "withdrawn_by_id"),
    "disbursement_materialflag": ("settled_at", "settled_by_id"),
}


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """(name, table, event, condition, message), as `Guard` takes them."""
    yield (
        "disbursement_evidenceversion_follows",
        "disbursement_evidenceversion",
        "INSERT",
        (
            "NEW.seq <> 1 + (SELECT COUNT(*) FROM disbursement_evidenceversion v WHERE v.evidence_id = NEW.evidence_id)"
            " OR EXISTS (SELECT 1 FROM disbursement_evidence e WHERE e.id = NEW.evidence_id"
            " AND e.withdrawn_at IS NOT NULL)"
        ),
        "a version follows the last one, of a certificate that is not withdrawn",
    )
    yield (
        "disbursement_material_version",
        "disbursement_material",
        "UPDATE",
        "OLD.evidence_version_id DIFFERS NEW.evidence_version_id",
        "a material keeps the version that it was taken from",
    )
    yield (
        "disbursement_material_of_library",
        "disbursement_material",
        "INSERT",
        (
            "NEW.evidence_version_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM disbursement_evidenceversion v"
            " JOIN disbursement_evidence e ON e.id = v.evidence_id JOIN disbursement_storedfile s ON s.id = v.stored_id"
            " JOIN disbursement_application a ON a.id = NEW.application_id WHERE v.id = NEW.evidence_version_id"
            " AND s.sha256 = NEW.sha256 AND e.enterprise_id = a.enterprise_id AND e.kind = NEW.code)"
        ),
        "a material from the library has the bytes of its version, of the same enterprise and kind",
    )
