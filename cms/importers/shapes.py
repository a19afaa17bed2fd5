"""The kinds of line in a policy file: the keys of each, how each is read, which must be there, what is unique."""

from cms.importers.readers import (
    Reader,
    anything,
    boolean,
    choice,
    day,
    many,
    material_code,
    money,
    paragraph_block,
    record,
    slug,
    text,
    whole,
)
from cms.limits import KINDS as LIMIT_KINDS
from cms.limits import STEPS as LIMITED_STEPS
from matching.delivery_terms import MACHINE_STEPS
from matching.review_path import KINDS as PATH_KINDS

SOURCES = ("applicant", "library", "exchange", "form")
FORMS = ("electronic", "original", "copy")
DELIVERIES = ("automatic", "instant", "fast", "window")
STEP_KINDS = ("acceptance", "review", *PATH_KINDS, "second_review")

_NAME = text(longest=200, empty=False)
_READING = {
    "id": slug,
    "title": _NAME,
    "summary": text(),
    "body": many(paragraph_block, least=1),
}
_MATERIAL = {
    "code": material_code,
    "name": _NAME,
    "source": choice(SOURCES),
    "required": boolean,
    "original": choice(FORMS),
    "copies": whole(0, 20),
    "tolerable": boolean,
    "promise": text(),
    "note": text(),
}
_STEP = {
    "name": text(longest=60, empty=False),
    "by": text(longest=100),
    "days": whole(0, 1000),
    "note": text(),
    "kind": choice(STEP_KINDS),
    "departments": text(longest=400),
    "silence_consents": boolean,
    "checklist": text(),
}

_LIMITS = {kind: whole(0, 1000) for kind in LIMIT_KINDS}
_OWN_LIMITS = {kind: whole(1, 1000) for kind in LIMIT_KINDS}
_TERMS = {
    "machine": many(choice(tuple(MACHINE_STEPS))),
    "verified": many(text(longest=80, empty=False)),
    "most": money,
    "audit_share": whole(0, 100),
    "offer_days": whole(1, 250),
    "acceptance_days": whole(1, 250),
    "review_days": whole(1, 250),
    "skips": many(choice(tuple(PATH_KINDS))),
    "decide_within": whole(1, 250),
}

KINDS: dict[str, tuple[dict[str, Reader], tuple[str, ...]]] = {
    "department": (
        {
            "code": slug,
            "name": text(longest=80, empty=False),
            "short_name": text(longest=40),
            "phone": text(longest=40),
            "address": text(longest=200),
        },
        ("code", "name"),
    ),
    "budget_line": (
        {
            "code": slug,
            "year": whole(2000, 2100),
            "name": text(longest=120, empty=False),
            "department": slug,
            "ceiling": money,
            "source": text(longest=80),
        },
        ("code", "year", "name", "department", "ceiling"),
    ),
    "document": (
        {
            "number": text(longest=80, empty=False),
            "name": _NAME,
            "issuer": text(longest=120, empty=False),
            "issued_on": day,
            "effective_on": day,
            "expires_on": day,
            "summary": text(),
            "body": many(text(empty=False)),
        },
        ("number", "name", "issuer", "issued_on"),
    ),
    "item": (
        {
            "code": slug,
            "name": _NAME,
            "department": slug,
            "type": text(longest=60, empty=False),
            "criteria": anything,
            "award": anything,
            "form": many(anything),
            "audience": text(longest=300),
            "summary": text(),
            "sub_items": many(_NAME),
            "document": text(longest=80, empty=False),
            "clause": text(longest=120),
            "materials": many(record(_MATERIAL, required=("code", "name"))),
            "steps": many(record(_STEP, required=("name",))),
            "limits": record({**_LIMITS, **{step: record(_OWN_LIMITS) for step in LIMITED_STEPS}}),
            "fees": text(longest=120),
            "delivery": choice(DELIVERIES),
            "delivery_terms": record(_TERMS),
            "window": record({"from": day, "until": day}),
            "budget_line": slug,
            "ceiling": money,
            "publicity_days": whole(0, 60),
            "contact": record(
                {
                    "phone": text(longest=60),
                    "office": text(longest=120),
                    "address": text(longest=200),
                    "hours": text(longest=120),
                }
            ),
            "expires_on": day,
            "fair_competition": record({"reviewed_on": day, "reviewer": text(longest=120), "conclusion": text()}),
            "assessment": text(),
            "readings": many(record(_READING, required=("id", "title", "body"))),
        },
        ("code", "name", "department", "type", "criteria"),
    ),
    "reading": (
        {**_READING, "item": slug, "document": text(longest=80, empty=False)},
        ("id", "title", "body"),
    ),
}
IDENTITY = {
    "department": ("code",),
    "budget_line": ("code", "year"),
    "document": ("number",),
    "item": ("code",),
    "reading": ("id",),
}
