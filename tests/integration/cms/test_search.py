"""Search as readers and officers meet it: on the public list, while typing, in the editors' admin."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cms.models import SearchRow
from matching.days import day_of
from matching.services.match_profiles import match_nightly
from portal.accounts.models import Membership, MembershipKind, User
from tests.factories import cms
from tests.factories.matching import NOW, TODAY, enterprise

pytestmark = pytest.mark.django_db
MICRO = {"all": [{"fact": "size", "in": ["micro"], "text": "微型企业"}]}
LARGE = {"all": [{"fact": "size", "in": ["large"], "text": "大型企业"}]}


def get(client: Client, **query: Any) -> str:
    response = client.get("/policies/", query)
    assert response.status_code == 200
    return response.content.decode()


def titles(client: Client, **query: Any) -> list[str]:
    response = client.get("/policies/", query)
    return [row.title for row in response.context["page_obj"]]


def signed_in(client: Client, **known: Any) -> None:
    """A legal representative of an enterprise of which these facts are known, matched with what is published."""
    subject = enterprise(**known)
    match_nightly(as_of=TODAY, now=NOW)
    user = User.objects.create_user("boss", password="a-long-password", full_name="法人")
    Membership.objects.create(user=user, enterprise=subject, kind=MembershipKind.LEGAL_REPRESENTATIVE, granted_at=NOW)
    client.force_login(user)


def test_everyday_words_pinyin_and_a_wrong_character_find_the_item(client: Client) -> None:
    cms.published_item(title="高新技术企业认定奖励")
    cms.published_item(title="产业载体租金补贴")
    for query in ("高企", "gxjs", "高薪技术企业"):
        assert titles(client, q=query) == ["高新技术企业认定奖励"], query
    assert titles(client, q="房租") == ["产业载体租金补贴"]
    assert "已按“高新技术企业”查找" in get(client, q="高薪技术企业")


def test_items_documents_and_readings_are_found_and_counted_by_kind(client: Client) -> None:
    page = cms.published_item(title="产业载体租金补贴")
    cms.reading_page(page, title="一图读懂")
    cms.document_page(title="租金补贴若干措施")
    assert titles(client, q="租金") == ["产业载体租金补贴"]
    assert titles(client, q="租金", kind="reading") == ["一图读懂"]
    assert titles(client, q="租金", kind="document") == ["租金补贴若干措施"]
    kinds = client.get("/policies/", {"q": "租金"}).context["kinds"]
    assert [count for _, _, count in kinds] == [1, 1, 1]


def test_what_was_searched_for_is_marked_and_markup_stays_text(client: Client) -> None:
    cms.published_item(title="租金<b>补贴</b>", summary="按租金给")
    text = get(client, q="租金")
    assert "<mark>租金</mark>&lt;b&gt;" in text
    assert "按<mark>租金</mark>给" in text


def test_the_clause_in_which_the_words_stand_is_shown(client: Client) -> None:
    cms.published_item(title="甲", criteria={"fact": "has_own_accounts", "is": True, "text": "签订租赁合同并入驻"})
    assert "签订<mark>租赁</mark>合同" in get(client, q="租赁")


def test_the_filters_say_how_many_each_would_leave(client: Client) -> None:
    cms.published_item(title="甲", criteria=MICRO)
    cms.published_item(title="乙", criteria=LARGE)
    assert "微型（1）" in get(client)
    assert "大型（1）" in get(client, size="micro")


def test_an_enterprise_narrows_to_what_fits_it_and_sees_that_first(client: Client) -> None:
    # Of equals the latest comes first, then the code: whichever second they were published in, it is the large one.
    cms.published_item(title="租金补贴办法", code="for-micro", criteria=MICRO)
    cms.published_item(title="租金补贴", code="for-large", criteria=LARGE)
    assert titles(client, q="租金") == ["租金补贴", "租金补贴办法"]
    signed_in(client, size="micro")
    assert titles(client, q="租金") == ["租金补贴办法", "租金补贴"]
    assert titles(client, fits="1") == ["租金补贴办法"]
    text = get(client)
    assert "只看适合本企业的（1）" in text
    assert text.count("适合本企业</span>") == 1


def test_a_reader_without_an_enterprise_is_not_asked_what_fits(client: Client) -> None:
    cms.published_item()
    assert "只看适合本企业的" not in get(client)
    assert "共 1 条" in get(client, fits="1")


def test_nothing_found_offers_near_words_and_what_fits_most(client: Client) -> None:
    cms.published_item(title="发明专利资助", criteria=MICRO)
    signed_in(client, size="micro")
    text = get(client, q="专家权")
    assert "共 0 条" in text
    assert "试试相近的词" in text
    assert "适合企业最多的政策" in text
    assert "发明专利资助" in text


def test_nothing_found_offers_what_is_newest_where_nobody_knows_what_fits(client: Client) -> None:
    cms.published_item(title="发明专利资助")
    text = get(client, q="专家权")
    assert "最近发布的政策" in text
    assert "适合企业最多的政策" not in text
    assert "发明专利资助" in text


def test_suggestions_mark_what_was_typed_and_tell_a_word_from_a_page(client: Client) -> None:
    cms.published_item(title="高新技术企业认定奖励")
    text = client.get(reverse("public:suggest"), {"q": "高新", "kind": "item"}).content.decode()
    assert "<mark>高新</mark>技术企业认定奖励" in text
    assert text.count("政策事项</span>") == 1
    assert text.count("查找</span>") == 1


def test_suggestions_lead_to_a_search_or_to_the_page(client: Client) -> None:
    cms.published_item(title="高新技术企业认定奖励", code="kj-one")
    url = reverse("public:suggest")
    for typed in ("高新", "gxjs"):
        text = client.get(url, {"q": typed, "kind": "item"}).content.decode()
        assert 'href="/policies/kj-one/"' in text
        assert "?q=" in text
    for typed in ("", "x", "\x00", "%"):
        assert client.get(url, {"q": typed}).status_code == 200


def test_a_page_that_was_changed_or_taken_down_is_found_as_it_is_now(client: Client) -> None:
    page = cms.published_item(title="租金补贴")
    assert titles(client, q="租金") == ["租金补贴"]
    page = cms.publish(page, title="装修补贴")
    assert titles(client, q="租金") == []
    page.unpublish()
    assert titles(client, q="装修") == []


def test_rows_cut_by_an_older_dictionary_are_cut_again_when_read(client: Client) -> None:
    cms.published_item(title="租金补贴")
    SearchRow.objects.update(words={}, words_version="old", stamp="changed")
    assert titles(client, q="租金") == ["租金补贴"]


def test_the_editors_admin_finds_chinese_by_part_of_a_word(desk: Client) -> None:
    cms.published_item(title="高新技术企业认定奖励")
    cms.published_item(title="租金补贴")
    text = desk.get(reverse("wagtailadmin_pages:search"), {"q": "术企业认"}).content.decode()
    assert "高新技术企业认定奖励" in text
    assert "租金补贴" not in text


def test_the_day_of_the_factories_is_the_day_of_the_tests() -> None:
    assert day_of(NOW) == TODAY
