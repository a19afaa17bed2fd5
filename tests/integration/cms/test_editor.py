"""The editor's desk: an officer writes, is told every mistake, publishes, and sends drafts round."""

import html
import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from wagtail.models import Page, WorkflowState
from wagtail.test.utils.form_data import nested_form_data, streamfield

from cms.models import PolicyItemPage
from matching.models import PolicyItem, PolicyVersion
from matching.services.vocabulary import current_vocabulary
from portal.accounts.models import StaffRole, User
from portal.accounts.services import grant_role, revoke_role
from tests.factories import cms
from tests.factories.matching import department

pytestmark = pytest.mark.django_db


def form(**changes: Any) -> dict[str, Any]:
    return nested_form_data(
        {
            "title": "高企奖励",
            "slug": "kj-one",
            "code": "kj-one",
            "item_type": "recognition",
            "department": str(department().pk),
            "delivery": "fast",
            "criteria": json.dumps(cms.HERE),
            "award": "",
            "budget_line": "",
            "publicity_days": "5",
            "sub_items": streamfield([]),
            "form_fields": streamfield([]),
            "materials": streamfield([]),
            "steps": streamfield([]),
            "delivery_terms": streamfield([]),
            "comments": {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": ""},
            **changes,
        }
    )


def add_url() -> str:
    return reverse("wagtailadmin_pages:add", args=["cms", "policyitempage", cms.library().pk])


def test_an_officer_publishes_an_item_from_the_form(desk: Client) -> None:
    response = desk.post(add_url(), {**form(), "action-publish": "1"})
    assert response.status_code == 302
    assert PolicyItemPage.objects.get().live
    assert PolicyVersion.objects.get().rules["criteria"] == cms.HERE


def test_every_mistake_of_the_criteria_is_told_with_its_place(desk: Client) -> None:
    bad = '{"all": [{"fact": "nothing", "is": true}, {"fact": "revenue", "gte": "1.x"}]}'
    response = desk.post(add_url(), {**form(criteria=bad), "action-publish": "1"})
    text = response.content.decode()
    assert "（1）criteria.all.0.fact: 词表中没有事实" in text
    assert "（2）criteria.all.1.gte: " in text
    assert not PolicyItemPage.objects.exists()
    # What was typed is still there.
    assert "1.x" in text


def test_each_step_has_its_limits_and_a_promise_is_not_longer_than_the_law(desk: Client) -> None:
    days = {"acceptance_statutory_days": "2", "acceptance_promised_days": "3", "appeal_promised_days": "9"}
    text = desk.post(add_url(), form(**days)).content.decode()
    assert "承诺时限不能长于法定时限 2 个工作日" in text
    days["acceptance_promised_days"] = "1"
    assert desk.post(add_url(), {**form(**days), "action-publish": "1"}).status_code == 302
    page = PolicyItemPage.objects.get()
    assert PolicyVersion.objects.get().rules["limits"]["acceptance"] == {"statutory": 2, "promised": 1}
    shown = desk.get(page.get_url()).content.decode()
    assert "受理：承诺 1 个工作日，法定 2 个工作日" in shown
    assert "复核：承诺 9 个工作日" in shown


def material(code: str, name: str, source: str = "library") -> dict[str, Any]:
    rest = {"required": "on", "original": "electronic", "copies": "1", "promise": "", "note": ""}
    return {"code": code, "name": name, "source": source, **rest, "template": "", "sample": ""}


def test_a_kind_of_certificate_has_one_name_in_all_items(desk: Client) -> None:
    listed = {**material("licence", "营业执照"), "required": True, "copies": 1, "tolerable": True}
    cms.published_item(
        code="kj-first", title="第一项", materials=[("material", {**listed, "template": None, "sample": None})]
    )
    # The kinds in use are offered where a code is typed.
    text = desk.get(add_url()).content.decode()
    assert "datalist" in text
    assert "licence" in text
    told = desk.post(add_url(), form(materials=streamfield([("material", material("licence", "安全许可证"))])))
    # The stream's widget takes its mistakes as data.
    text = html.unescape(told.content.decode()).encode().decode("unicode_escape", "replace")
    assert "证照代码 licence 在事项“第一项”（kj-first）中是“营业执照”，这里写作“安全许可证”" in text
    assert not PolicyItemPage.objects.filter(code="kj-one").exists()
    # Blanks and brackets make no other name, and what the applicant brings is no kind of the library.
    for kind in (material("licence", "（营业执照）"), material("licence", "安全许可证", source="applicant")):
        response = desk.post(add_url(), form(materials=streamfield([("material", kind)])))
        assert response.status_code == 302
        PolicyItemPage.objects.get(code="kj-one").delete()


def test_every_mistake_of_the_materials_is_told_at_once(desk: Client) -> None:
    twice = [("material", material(code, name, source="applicant")) for code in ("a", "b") for name in ("一", "二")]
    text = desk.post(add_url(), form(materials=streamfield(twice))).content.decode()
    text = html.unescape(text).encode().decode("unicode_escape", "replace")
    assert "（1）材料代码 a 重复" in text
    assert "（2）材料代码 b 重复" in text


def test_an_item_keeps_the_name_under_which_it_is_listed() -> None:
    def named(name: str) -> list[tuple[str, dict[str, Any]]]:
        one = {**material("licence", name), "required": True, "copies": 1, "tolerable": True}
        return [("material", {**one, "template": None, "sample": None})]

    first = cms.published_item(materials=named("营业执照"))
    # Both were listed before one code had to have one name.
    PolicyItem.objects.filter(code=first.code).update(is_listed=False)
    second = cms.published_item(materials=named("安全许可证"))
    PolicyItem.objects.filter(code=first.code).update(is_listed=True)
    PolicyItemPage.objects.get(pk=second.pk).full_clean()
    with pytest.raises(ValidationError, match="证照代码 licence"):
        cms.item_page(materials=named("身份证"))


def test_a_draft_may_leave_things_out_and_the_editor_names_them(desk: Client) -> None:
    desk.post(add_url(), form(criteria="", item_type=""))
    page = PolicyItemPage.objects.get()
    assert not page.live
    text = desk.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).content.decode()
    assert "还缺：" in text
    assert "<li>申报条件</li>" in text


def test_the_code_cannot_be_changed_in_the_form(desk: Client) -> None:
    page = cms.item_page(code="kj-one")
    desk.post(reverse("wagtailadmin_pages:edit", args=[page.pk]), form(code="kj-two", title="改名"))
    draft = PolicyItemPage.objects.get().get_latest_revision_as_object()
    assert (draft.code, draft.title) == ("kj-one", "改名")


def test_a_draft_goes_round_for_review_and_is_published_on_approval(desk: Client) -> None:
    page = cms.item_page(code="kj-one")
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    desk.post(url, {**form(), "action-submit": "1"})
    state = WorkflowState.objects.get()
    assert state.workflow.name == "政策发布审批"
    task = state.current_task_state
    desk.post(
        reverse("wagtailadmin_pages:workflow_action", args=[page.pk, "approve", task.pk]),
        {"next": url, "comment": "同意"},
    )
    assert PolicyItemPage.objects.get().live
    assert PolicyVersion.objects.count() == 1


def test_approving_what_can_no_longer_be_published_is_refused_without_an_error_page(desk: Client) -> None:
    page = cms.item_page(code="kj-one")
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    desk.post(url, {**form(), "action-submit": "1"})
    task = WorkflowState.objects.get().current_task_state
    revision = task.revision
    revision.content = {**revision.content, "criteria": '{"fact": "gone", "is": true}'}
    revision.save()
    response = desk.post(
        reverse("wagtailadmin_pages:workflow_action", args=[page.pk, "approve", task.pk]), {"next": url}
    )
    assert response.status_code in (302, 403)
    assert not PolicyItemPage.objects.get().live
    assert not PolicyVersion.objects.exists()


def test_an_alias_of_an_item_is_refused_and_a_copy_is_made(desk: Client) -> None:
    page = cms.published_item(code="kj-one")
    url = reverse("wagtailadmin_pages:copy", args=[page.pk])
    values = {"new_title": "副本", "new_slug": "copy", "new_parent_page": str(page.get_parent().pk)}
    assert desk.post(url, {**values, "alias": "on"}).status_code == 302
    assert PolicyItemPage.objects.count() == 1
    desk.post(url, values)
    assert PolicyItemPage.objects.exclude(pk=page.pk).get().code != "kj-one"


def test_the_preview_of_a_draft_shows_it_and_says_what_stands_against_it(desk: Client) -> None:
    page = cms.item_page(code="kj-one", summary="草稿摘要")
    url = reverse("wagtailadmin_pages:view_draft", args=[page.pk])
    assert "草稿摘要" in desk.get(url).content.decode()
    PolicyItemPage.objects.filter(pk=page.pk).update(criteria="{")
    revision = page.get_latest_revision()
    revision.content = {**revision.content, "criteria": "{"}
    revision.save()
    assert "还不能发布" in desk.get(url).content.decode()


def test_every_kind_of_page_has_its_editor(desk: Client) -> None:
    item = cms.published_item()
    pages = [item, cms.document_page(), cms.reading_page(item), cms.library(), cms.library().get_parent()]
    for page in pages:
        assert desk.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).status_code == 200
    for model in ("policyitempage", "policydocumentpage", "readingpage"):
        url = reverse("wagtailadmin_pages:add", args=["cms", model, cms.library().pk])
        assert desk.get(url).status_code == 200


# ---------------------------------------------------------------- the vocabulary


def test_an_officer_adds_a_fact_and_a_code_and_uses_them_at_once(desk: Client) -> None:
    response = desk.post(
        reverse("cms_vocabulary:add_fact"),
        {"key": "robots", "label": "在用机器人", "type": "number", "unit": "台", "scope": "enterprise"},
    )
    assert response.status_code == 302
    desk.post(reverse("cms_vocabulary:add_code", args=["region"]), {"code": "510198", "label": "新区"})
    criteria = {"all": [{"fact": "robots", "gte": "1"}, {"fact": "registered_region", "in": ["510198"]}]}
    desk.post(add_url(), {**form(criteria=json.dumps(criteria)), "action-publish": "1"})
    assert PolicyVersion.objects.count() == 1


def test_a_used_fact_is_not_removed_and_its_users_are_listed(desk: Client) -> None:
    cms.published_item(title="本区事项")
    url = reverse("cms_vocabulary:fact", args=["registered_region"])
    text = desk.post(url, {"remove": "1"}, follow=True).content.decode()
    assert "本区事项" in text
    assert "registered_region" in current_vocabulary().facts


def test_an_unused_fact_code_and_list_are_removed(desk: Client) -> None:
    desk.post(reverse("cms_vocabulary:add_list"), {"name": "colour", "hierarchy": "none", "code": "red", "label": "红"})
    desk.post(reverse("cms_vocabulary:add_code", args=["colour"]), {"code": "blue", "label": "蓝"})
    desk.post(reverse("cms_vocabulary:code", args=["colour", "blue"]), {"remove": "1"})
    assert list(current_vocabulary().code_lists["colour"].codes) == ["red"]
    desk.post(reverse("cms_vocabulary:list", args=["colour"]), {"remove": "1"})
    assert "colour" not in current_vocabulary().code_lists
    desk.post(reverse("cms_vocabulary:fact", args=["premises_area"]), {"remove": "1"})
    assert "premises_area" not in current_vocabulary().facts


def test_the_forms_keep_what_is_known_of_a_fact(desk: Client) -> None:
    for key, fact in list(current_vocabulary().facts.items())[::9]:
        url = reverse("cms_vocabulary:fact", args=[key])
        initial = desk.get(url).context["form"].initial
        assert desk.post(url, {name: value for name, value in initial.items() if value}).status_code == 302
        assert current_vocabulary().facts[key] == fact


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"key": "机器人", "label": "x", "type": "number", "scope": "enterprise"}, "小写字母"),
        ({"key": "revenue", "label": "x", "type": "number", "scope": "enterprise"}, "已经有了"),
        ({"key": "robots", "label": "x", "type": "code", "scope": "enterprise"}, "codes"),
        ({"key": "robots", "label": "x", "type": "date", "unit": "天", "scope": "enterprise"}, "单位"),
        ({"key": "robots", "label": "x", "type": "date", "fresh_for": "一年", "scope": "enterprise"}, "P1Y"),
    ],
)
def test_a_bad_fact_is_told(desk: Client, values: dict[str, str], told: str) -> None:
    response = desk.post(reverse("cms_vocabulary:add_fact"), values)
    assert response.status_code == 200
    assert told in response.content.decode()
    assert "robots" not in current_vocabulary().facts


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fact", ["none"]),
        ("list", ["none"]),
        ("add_code", ["none"]),
        ("code", ["region", "none"]),
        ("code", ["x", "y"]),
    ],
)
def test_what_the_vocabulary_has_not_is_not_found(desk: Client, name: str, arguments: list[str]) -> None:
    assert desk.get(reverse(f"cms_vocabulary:{name}", args=arguments)).status_code == 404


def test_all_pages_of_the_vocabulary_answer(desk: Client) -> None:
    for name, arguments in [
        ("index", []),
        ("add_fact", []),
        ("fact", ["revenue"]),
        ("add_list", []),
        ("list", ["size"]),
        ("add_code", ["size"]),
        ("code", ["size", "micro"]),
    ]:
        assert desk.get(reverse(f"cms_vocabulary:{name}", args=arguments)).status_code == 200, name


def test_who_is_no_officer_does_not_reach_the_desk(client: Client) -> None:
    cms.library()
    client.force_login(User.objects.create_user("enterprise-person", password="a-long-password"))
    for url in (reverse("cms_vocabulary:index"), add_url(), reverse("wagtailadmin_home")):
        assert client.get(url).status_code in (302, 403)
    assert Page.objects.filter(slug="kj-one").count() == 0


def test_the_role_of_a_policy_officer_opens_the_desk_and_losing_it_closes_it(client: Client) -> None:
    cms.library()
    user = User.objects.create_user("newcomer", password="a-long-password")
    client.force_login(user)
    one = grant_role(user=user, role=StaffRole.POLICY_OFFICER, department=None)
    two = grant_role(user=user, role=StaffRole.POLICY_OFFICER, department=department())
    assert client.get(add_url()).status_code == 200
    revoke_role(assignment_id=one.pk)
    assert client.get(add_url()).status_code == 200
    revoke_role(assignment_id=two.pk)
    revoke_role(assignment_id=two.pk)
    assert client.get(add_url()).status_code in (302, 403)
