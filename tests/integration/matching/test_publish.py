"""A published item becomes an immutable, numbered version; words alone make none."""

from typing import Any

import pytest

from matching.criteria import InvalidInput
from matching.models import PolicyItem, PolicyVersion
from matching.registry.models import OutboxMessage, VocabularyRevision
from matching.services.publish import criteria_words, publish_version, rule_hash, withdraw_item
from tests.factories.matching import NOW, department

pytestmark = pytest.mark.django_db

LEAF: dict[str, Any] = {"fact": "registered_region", "in": ["510105"], "text": "在本区注册", "advice": "迁入本区"}


def rules(**changes: Any) -> dict[str, Any]:
    return {
        "criteria": {"all": [LEAF]},
        "award": {"rules": [{"fixed": "200000"}]},
        "window": {"from": "2026-01-01", "until": "2026-12-31"},
        "materials": [{"code": "licence", "name": "营业执照"}],
        "limits": {"review": {"statutory": 20, "promised": 10}},
        "exclusive_with": [],
        **changes,
    }


def publish(code: str = "kj-one", **changes: Any) -> PolicyVersion:
    wanted = rules(**changes)
    return publish_version(
        item_code=code,
        name="一号事项",
        department=department(),
        rules=wanted,
        details={"summary": "摘要"},
        words=criteria_words(criteria=wanted["criteria"]),
        now=NOW,
    )


def topics() -> list[str]:
    return list(OutboxMessage.objects.order_by("id").values_list("topic", flat=True))


def test_the_first_publication_makes_version_one_lists_the_item_and_tells() -> None:
    version = publish()
    item = PolicyItem.objects.get(code="kj-one")
    assert (version.number, item.current_version, item.is_listed) == (1, version, True)
    assert version.vocabulary == VocabularyRevision.objects.get(is_current=True)
    assert (str(version.window_from), str(version.window_until)) == ("2026-01-01", "2026-12-31")
    message = OutboxMessage.objects.get()
    assert message.topic == "policy.version_published"
    assert message.payload == {"item_id": item.pk, "version_id": version.pk}


def test_publishing_the_same_again_makes_no_version_and_tells_nobody() -> None:
    assert publish() == publish()
    assert topics() == ["policy.version_published"]


def test_other_words_are_laid_over_the_version_in_force() -> None:
    first = publish()
    second = publish(criteria={"all": [{**LEAF, "text": "注册在青羊区", "advice": ""}]})
    assert second == first
    assert PolicyItem.objects.get().words == {"all.0": {"text": "注册在青羊区"}}
    assert PolicyVersion.objects.get().rules["criteria"]["all"][0]["text"] == "在本区注册"
    assert topics() == ["policy.version_published"]


@pytest.mark.parametrize(
    "change",
    [
        {"criteria": {"all": [{**LEAF, "in": ["5101"]}]}},
        {"criteria": {"all": [{**LEAF, "soft": True}]}},
        {"award": {"rules": [{"fixed": "100000"}]}},
        {"window": {"from": "2026-01-01", "until": "2027-12-31"}},
        {"materials": []},
        {"limits": {"review": {"statutory": 20, "promised": 5}}},
        {"exclusive_with": ["kj-two"]},
    ],
)
def test_a_changed_rule_makes_the_next_version(change: dict[str, Any]) -> None:
    publish()
    version = publish(**change)
    assert version.number == 2
    assert topics() == ["policy.version_published"] * 2


def test_going_back_to_an_earlier_rule_is_a_version_of_its_own() -> None:
    first = publish()
    publish(materials=[])
    third = publish()
    assert (third.number, third.rule_hash) == (3, first.rule_hash)


def test_the_hash_does_not_depend_on_the_order_of_keys_or_on_words_inside_the_award() -> None:
    award = {"rules": [{"when": LEAF, "fixed": "1"}]}
    other = {"rules": [{"fixed": "1", "when": {"in": ["510105"], "fact": "registered_region"}}]}
    assert rule_hash(rules=rules(award=award)) == rule_hash(rules=rules(award=other))


def test_a_key_named_text_that_is_no_word_of_a_leaf_counts() -> None:
    assert rule_hash(rules={"window": {"text": "a"}}) != rule_hash(rules={"window": {"text": "b"}})


def test_unreadable_criteria_leave_nothing_behind() -> None:
    with pytest.raises(InvalidInput) as caught:
        publish_version(
            item_code="kj-bad",
            name="坏",
            department=department(),
            rules=rules(criteria={"all": [{"fact": "no_such_fact", "is": True}]}),
            details={},
            words={},
            now=NOW,
        )
    assert caught.value.problems[0].path.startswith("criteria.all.0")
    assert not PolicyItem.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_withdrawn_item_keeps_its_versions_and_can_be_listed_again() -> None:
    version = publish()
    assert withdraw_item(item_code="kj-one", now=NOW)
    assert not withdraw_item(item_code="kj-one", now=NOW)
    assert not PolicyItem.objects.get().is_listed
    assert publish() == version
    assert topics() == ["policy.version_published", "policy.withdrawn", "policy.version_published"]
