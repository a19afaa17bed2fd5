"""The vocabulary in force: changed without a deploy, refused where a published item would become unreadable."""

from typing import Any

import pytest

from matching.criteria import InvalidInput
from matching.registry.models import VocabularyRevision
from matching.services import vocabulary as service
from matching.services.vocabulary import StillUsed, current_vocabulary
from matching.vocabulary import load_default
from tests.factories.matching import NOW, published

pytestmark = pytest.mark.django_db

FACT: dict[str, Any] = {"key": "robots", "label": "在用机器人", "type": "number", "unit": "台"}


def test_before_anything_is_stored_the_default_is_in_force() -> None:
    assert current_vocabulary().digest == load_default().digest
    assert not VocabularyRevision.objects.exists()


def test_ensuring_the_default_twice_stores_it_once() -> None:
    assert service.ensure_default(now=NOW) == service.ensure_default(now=NOW)
    assert VocabularyRevision.objects.get().is_current


def test_a_new_fact_can_be_used_at_once_and_the_old_revision_stays() -> None:
    old = service.ensure_default(now=NOW)
    service.save_fact(definition=FACT, now=NOW)
    assert current_vocabulary().facts["robots"].unit == "台"
    published({"fact": "robots", "gte": "3"})
    assert "robots" not in service.vocabulary_at(digest=old.digest).facts
    assert VocabularyRevision.objects.filter(is_current=True).count() == 1


def test_a_used_fact_cannot_be_removed_and_the_users_are_named() -> None:
    service.save_fact(definition=FACT, now=NOW)
    published({"fact": "robots", "gte": "3"}, code="gy-robots", name="机器人补贴")
    with pytest.raises(StillUsed, match="机器人补贴（gy-robots）") as caught:
        service.remove_fact(key="robots", now=NOW)
    assert caught.value.uses[0].problems[0].path == "criteria.fact"
    assert "robots" in current_vocabulary().facts


def test_a_withdrawn_item_holds_nothing_back() -> None:
    service.save_fact(definition=FACT, now=NOW)
    version = published({"fact": "robots", "gte": "3"})
    from matching.services.publish import withdraw_item

    withdraw_item(item_code=version.item.code, now=NOW)
    service.remove_fact(key="robots", now=NOW)
    assert "robots" not in current_vocabulary().facts


def test_a_used_code_cannot_be_removed_but_an_added_one_can() -> None:
    published({"fact": "registered_region", "in": ["510105"]})
    with pytest.raises(StillUsed):
        service.remove_code(list_name="region", code="510105", now=NOW)
    service.save_code(list_name="region", code="510199", label="新设区", now=NOW)
    assert "510199" in current_vocabulary().code_lists["region"].descendants("5101")
    service.remove_code(list_name="region", code="510199", now=NOW)
    assert "510199" not in current_vocabulary().code_lists["region"]


def test_a_code_gets_its_parent() -> None:
    service.save_code(list_name="size", code="nano", label="纳米型", parent="sme", now=NOW)
    assert current_vocabulary().code_lists["size"].covers("sme", "nano")


def test_changing_the_type_of_a_used_fact_is_refused() -> None:
    published({"fact": "invention_patents", "gte": "1"})
    with pytest.raises(StillUsed):
        service.save_fact(definition={"key": "invention_patents", "label": "发明专利", "type": "boolean"}, now=NOW)


def test_a_new_code_list_and_a_fact_over_it() -> None:
    service.add_code_list(name="colour", hierarchy="none", code="red", label="红", now=NOW)
    service.save_fact(definition={"key": "colour", "label": "颜色", "type": "code", "codes": "colour"}, now=NOW)
    with pytest.raises(InvalidInput, match="colour"):
        service.remove_code_list(name="colour", now=NOW)
    service.remove_fact(key="colour", now=NOW)
    service.remove_code_list(name="colour", now=NOW)
    assert "colour" not in current_vocabulary().code_lists


def test_a_bad_definition_changes_nothing() -> None:
    service.ensure_default(now=NOW)
    with pytest.raises(InvalidInput):
        service.save_fact(definition={"key": "bad", "label": "坏", "type": "colour"}, now=NOW)
    assert VocabularyRevision.objects.count() == 1


def test_going_back_to_an_earlier_vocabulary_reuses_its_revision() -> None:
    first = service.ensure_default(now=NOW)
    service.save_fact(definition=FACT, now=NOW)
    assert service.remove_fact(key="robots", now=NOW) == first
    assert VocabularyRevision.objects.count() == 2
