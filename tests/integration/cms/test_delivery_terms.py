"""The terms of an item's way of delivery: set in the editor or a file, checked at their place, part of the version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from cms.delivery import blocks_of, terms_of_page
from cms.importers.lines import read_policy_lines
from cms.importers.pages import same
from cms.models import PolicyItemPage
from cms.rules import problems_of
from matching.models import PolicyItem
from matching.services.vocabulary import current_vocabulary
from tests.factories import cms

pytestmark = pytest.mark.django_db
TERMS: dict[str, Any] = {
    "machine": ["acceptance", "review"],
    "verified": ["registered_region"],
    "most": "200000.00",
    "audit_share": 20,
    "offer_days": 15,
}
AWARD = {"rules": [{"fixed": "10000"}]}
CRITERIA = json.dumps({"all": [{"fact": "registered_region", "in": ["510105"], "id": "here"}]})


def page_with(mode: str, terms: dict[str, Any] | None, **more: Any) -> PolicyItemPage:
    page: PolicyItemPage = cms.item_page(
        delivery=mode, delivery_terms=blocks_of(mode, terms), **{"criteria": CRITERIA, "award": AWARD, **more}
    )
    return page


def test_terms_survive_the_editor_and_become_part_of_the_version() -> None:
    page = cms.publish(page_with("automatic", TERMS))
    stored = PolicyItemPage.objects.get(pk=page.pk)
    assert terms_of_page(stored) == TERMS
    item = PolicyItem.objects.get(code=page.code)
    assert item.current_version is not None
    assert item.current_version.rules["delivery_terms"] == TERMS
    # Said again by a file, they are the same.
    assert same(stored, "delivery_terms", blocks_of("automatic", TERMS))
    assert not same(stored, "delivery_terms", blocks_of("automatic", {**TERMS, "offer_days": 16}))


def test_an_item_without_terms_keeps_its_rules_as_they_were() -> None:
    assert "delivery_terms" not in cms.item_page(delivery="instant").rules()


@pytest.mark.parametrize(
    ("mode", "terms", "more", "words"),
    [
        ("automatic", {**TERMS, "machine": ["review"]}, {}, "依次勾选"),
        ("automatic", {**TERMS, "verified": ["patents"]}, {}, "patents"),
        ("window", {"decide_within": 30}, {"statutory_days": 20, "window_until": "2027-12-31"}, "法定时限"),
        ("fast", {"skips": ["joint"]}, {}, "无从免去"),
    ],
)
def test_terms_that_cannot_be_carried_out_are_refused_at_their_field(
    mode: str, terms: dict[str, Any], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        page_with(mode, terms, **more)
    assert words in str(caught.value.message_dict["delivery_terms"])


def test_terms_of_another_way_than_the_items_are_told() -> None:
    page = page_with("automatic", TERMS)
    page.delivery = "instant"
    assert "改成一致" in problems_of(page)["delivery_terms"][0]


def test_a_file_of_items_may_carry_terms_and_the_schema_knows_them() -> None:
    line = {"code": "a-b", "name": "补助", "department": "kjj", "type": "rd", "criteria": {"all": []}}
    schema = json.loads((Path(settings.BASE_DIR) / "docs/schemas/policy-item.schema.json").read_text(encoding="utf-8"))
    schema["$defs"]["item"]["properties"]["criteria"] = {"type": "object"}
    schema["$defs"]["item"]["properties"]["award"] = {"type": "object"}
    validator = jsonschema.Draft202012Validator(schema)
    good = {**line, "delivery": "automatic", "delivery_terms": TERMS}
    bad = {**line, "delivery_terms": {"machine": ["payment"], "decide_within": 0}}
    vocabulary = current_vocabulary()
    found = [
        read_policy_lines([json.dumps(one).encode()], file="P", vocabulary=vocabulary).problems for one in (good, bad)
    ]
    assert found[0] == []
    assert {problem.path for problem in found[1]} == {"delivery_terms.machine.0", "delivery_terms.decide_within"}
    assert [validator.is_valid(one) for one in (good, bad)] == [True, False]
