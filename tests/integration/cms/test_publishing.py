"""Publishing a page makes the version, the list row and the event together, or nothing at all."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.utils import timezone
from wagtail.models import Page

from cms.models import PolicyItemPage, SearchRow
from matching.models import PolicyItem, PolicyVersion
from matching.registry.models import OutboxMessage
from matching.services import vocabulary as vocabulary_service
from tests.factories import cms
from tests.factories.matching import NOW, department

pytestmark = pytest.mark.django_db


def topics() -> list[str]:
    return list(OutboxMessage.objects.order_by("id").values_list("topic", flat=True))


def test_a_draft_is_nothing_to_the_outside() -> None:
    cms.item_page()
    assert not PolicyItem.objects.exists()
    assert not SearchRow.objects.exists()
    assert topics() == []


def test_publishing_makes_version_row_and_event_of_the_given_moment() -> None:
    page = cms.published_item(award={"rules": [{"fixed": "200000"}]}, code="kj-one")
    item = PolicyItem.objects.get(code="kj-one")
    version = PolicyVersion.objects.get()
    assert (item.is_listed, item.current_version, version.number) == (True, version, 1)
    assert version.published_at == NOW
    assert version.rules["award"] == {"rules": [{"fixed": "200000"}]}
    assert (version.rules["budget_line"], version.rules["type"]) == ("kj", "recognition")
    assert item.words == {"all.0": {"text": "在青羊区注册"}}
    assert topics() == ["policy.version_published"]
    row = SearchRow.objects.get()
    assert (row.page_id, row.kind, row.award_words) == (page.pk, "item", "20 万元")


def test_other_words_make_no_version_but_reach_the_item() -> None:
    page = cms.published_item()
    words = {"all": [{"fact": "registered_region", "in": ["510105"], "text": "注册地址在青羊区"}]}
    cms.publish(page, criteria=cms.rule_text(words), summary="新的摘要")
    assert PolicyVersion.objects.count() == 1
    assert PolicyItem.objects.get().words["all.0"]["text"] == "注册地址在青羊区"
    assert SearchRow.objects.get().summary == "新的摘要"
    assert topics() == ["policy.version_published"]


def test_a_changed_rule_makes_a_version_and_tells() -> None:
    page = cms.published_item()
    cms.publish(page, window_until=date(2026, 12, 31))
    assert list(PolicyVersion.objects.values_list("number", flat=True)) == [1, 2]
    assert topics() == ["policy.version_published"] * 2


def test_unpublishing_withdraws_the_item_and_publishing_lists_it_again() -> None:
    page = cms.published_item()
    page.unpublish()
    assert not PolicyItem.objects.get().is_listed
    assert not SearchRow.objects.exists()
    cms.publish(PolicyItemPage.objects.get())
    assert PolicyItem.objects.get().is_listed
    assert topics() == ["policy.version_published", "policy.withdrawn", "policy.version_published"]
    assert PolicyVersion.objects.count() == 1


def test_deleting_a_live_page_withdraws_its_item_and_keeps_the_versions() -> None:
    cms.published_item().delete()
    assert not PolicyItem.objects.get().is_listed
    assert PolicyVersion.objects.count() == 1
    assert topics()[-1] == "policy.withdrawn"


def test_a_draft_scheduled_for_later_becomes_a_version_when_its_time_has_come() -> None:
    page = cms.item_page()
    page.go_live_at = timezone.now() + timedelta(days=1)
    page.save_revision().publish()
    assert not PolicyVersion.objects.exists()
    revision = page.revisions.latest("created_at")
    content = revision.content
    content["go_live_at"] = (timezone.now() - timedelta(minutes=1)).isoformat()
    revision.content = content
    revision.approved_go_live_at = timezone.now() - timedelta(minutes=1)
    revision.save()
    call_command("publish_scheduled")
    assert PolicyVersion.objects.count() == 1


def test_what_the_vocabulary_no_longer_knows_is_not_published_and_nothing_is_half_done() -> None:
    vocabulary_service.save_fact(definition={"key": "robots", "label": "机器人", "type": "number"}, now=NOW)
    page = cms.item_page(criteria={"fact": "robots", "gte": "1"})
    vocabulary_service.remove_fact(key="robots", now=NOW)
    with pytest.raises(PermissionDenied, match="robots"):
        page.get_latest_revision().publish()
    assert not PolicyItemPage.objects.get().live
    assert not PolicyVersion.objects.exists()


def test_a_failure_while_the_version_is_made_takes_the_live_page_back(monkeypatch: pytest.MonkeyPatch) -> None:
    page = cms.item_page()

    def fail(**_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("cms.services.publishing.publish_version", fail)
    with pytest.raises(RuntimeError):
        page.get_latest_revision().publish()
    assert not PolicyItemPage.objects.get().live


def test_a_copied_page_is_another_item() -> None:
    page = cms.published_item(code="kj-one")
    copy = page.copy(update_attrs={"slug": "kj-copy", "title": "副本"})
    assert copy.code != "kj-one"
    assert copy.get_latest_revision_as_object().code == copy.code
    cms.publish(copy)
    assert set(PolicyItem.objects.values_list("code", flat=True)) == {"kj-one", copy.code}


def test_a_code_never_changes() -> None:
    page = cms.published_item(code="kj-one")
    page.code = "kj-two"
    with pytest.raises(ValidationError, match="不能更改"):
        page.save_revision()


def test_documents_and_readings_have_rows_and_lose_them() -> None:
    document = cms.document_page(number="青府发〔2026〕88号")
    reading = cms.reading_page(document)
    assert set(SearchRow.objects.values_list("kind", flat=True)) == {"document", "reading"}
    reading.unpublish()
    document.delete()
    assert not SearchRow.objects.exists()


def test_a_reading_is_of_one_thing() -> None:
    with pytest.raises(ValidationError, match="二选一"):
        cms.reading_page(cms.document_page(), item_page=cms.published_item())


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"criteria": "{"}, "criteria", "第 2 个字符"),
        ({"criteria": '{"fact": "x", "is": true}'}, "criteria", "词表中没有事实"),
        ({"criteria": {"fact": "registered_region", "in": ["510105"], "evidence": ["paper"]}}, "criteria", "paper"),
        ({"award": {"rules": []}}, "award", "award.rules"),
        ({"award": {"rules": [{"fixed": "1"}]}, "budget_line": ""}, "budget_line", "预算科目"),
        ({"award": {"rules": [{"fixed": "1"}]}, "budget_line": "none"}, "budget_line", "没有预算科目"),
        ({"item_type": "colour"}, "item_type", "没有事项类型"),
        ({"delivery": "window"}, "window_until", "限时即享"),
        ({"window_from": date(2026, 2, 1), "window_until": date(2026, 1, 1)}, "window_until", "不能早于"),
        ({"statutory_days": 5, "promised_days": 6}, "promised_days", "不能长于"),
        ({"code": "KJ"}, "code", "小写字母"),
    ],
)
def test_a_mistake_is_refused_at_its_field(fields: dict[str, Any], field: str, told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        cms.item_page(slug="some-slug", **fields)
    assert told in "；".join(caught.value.message_dict[field])


def test_the_completeness_check_names_what_is_missing() -> None:
    page = cms.item_page()
    assert {"依据文件", "申报材料", "咨询电话", "公平竞争审查记录"} <= set(page.missing_elements)
    page.contact_phone = "028-1"
    assert "咨询电话" not in page.missing_elements


def test_rows_know_which_sizes_and_industries_the_criteria_do_not_exclude() -> None:
    criteria = {"all": [{"fact": "size", "in": ["sme"]}, {"fact": "industry", "not_in": ["C"]}]}
    cms.published_item(criteria=criteria)
    row = SearchRow.objects.get()
    assert ",small," in row.sizes
    assert ",large," not in row.sizes
    assert ",39," not in row.industries
    assert ",I," in row.industries


def test_the_welcome_page_has_gone_and_setting_up_again_changes_nothing() -> None:
    cms.library()
    before = list(Page.objects.values_list("pk", "url_path"))
    cms.library()
    assert list(Page.objects.values_list("pk", "url_path")) == before
    assert not Page.objects.filter(title__startswith="Welcome").exists()


def test_the_moment_of_publication_is_now_where_none_is_given() -> None:
    page = cms.item_page(owner=department("sw", "商务局"))
    started: datetime = timezone.now()
    page.get_latest_revision().publish()
    assert PolicyVersion.objects.get().published_at >= started
