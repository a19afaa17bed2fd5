"""What the public reads: lists, search, items, documents, readings, the open catalogue."""

import csv
import io
import json
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.models import Site

from tests.factories import cms
from tests.factories.matching import department

pytestmark = pytest.mark.django_db


def get(client: Client, url: str, **query: Any) -> str:
    response = client.get(url, query)
    assert response.status_code == 200, url
    return response.content.decode()


def unmarked(text: str) -> str:
    """A page without the marks around the words that were searched for."""
    return text.replace("<mark>", "").replace("</mark>", "")


def queries(client: Client, url: str) -> int:
    client.get(url)
    Site.clear_site_root_paths_cache()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "url", ["/", "/policies/", "/policies/?q=事项", "/policies/?kind=reading", "/catalogue.json", "/catalogue.csv"]
)
def test_a_lists_queries_do_not_grow_with_its_rows(client: Client, url: str) -> None:
    for number in range(2):
        cms.reading_page(cms.published_item(owner=department(f"d{number}", f"部门{number}")))
    before = queries(client, url)
    for number in range(2, 8):
        cms.reading_page(cms.published_item(owner=department(f"d{number}", f"部门{number}")))
    assert queries(client, url) == before


def test_an_items_queries_do_not_grow_with_its_versions_and_readings(client: Client) -> None:
    page = cms.published_item(code="kj-one")
    cms.reading_page(page)
    before = queries(client, "/policies/kj-one/")
    for day in range(1, 5):
        page = cms.publish(page, window_until=date(2027, 1, day))
        cms.reading_page(page)
    assert queries(client, "/policies/kj-one/") == before


def test_an_item_says_in_plain_chinese_who_it_is_for_and_what_it_pays(client: Client) -> None:
    cms.published_item(
        code="kj-one",
        title="高企奖励",
        award={"rules": [{"fixed": "200000"}]},
        criteria={"all": [{"fact": "registered_region", "in": ["510105"], "text": "在本区", "evidence": ["licence"]}]},
        materials=[
            (
                "material",
                {
                    "code": "licence",
                    "name": "营业执照",
                    "source": "library",
                    "required": True,
                    "original": "electronic",
                    "copies": 1,
                    "tolerable": True,
                    "promise": "",
                    "note": "",
                    "template": None,
                    "sample": None,
                },
            )
        ],
    )
    text = get(client, "/policies/kj-one/")
    for expected in ("注册地属于“青羊区”", "给予 20 万元。", "营业执照", "第 1 版", "/fit/kj-one/", "条款：在本区"):
        assert expected in text


def test_versions_are_listed_the_latest_first(client: Client) -> None:
    page = cms.published_item(code="kj-one")
    cms.publish(page, window_until=date(2027, 1, 1))
    text = get(client, "/policies/kj-one/")
    assert text.index("第 2 版") < text.index("第 1 版")


def test_the_title_ranks_before_the_body_in_a_search(client: Client) -> None:
    cms.published_item(title="人才引进补贴", summary="也可用于房租")
    cms.published_item(title="重点载体房租补贴")
    cms.published_item(title="贷款贴息")
    text = unmarked(get(client, "/policies/", q="房租"))
    assert text.index("重点载体房租补贴") < text.index("人才引进补贴")
    assert "贷款贴息</a>" not in text


def test_a_search_whose_words_never_stand_together_gives_what_has_some_and_says_so(client: Client) -> None:
    cms.published_item(title="房租补贴")
    cms.published_item(title="贷款贴息")
    text = unmarked(get(client, "/policies/", q="房租贷款"))
    assert "部分相关" in text
    assert "贷款贴息</a>" in text


def test_a_search_finds_by_the_words_of_the_conditions(client: Client) -> None:
    cms.published_item(title="甲", criteria={"fact": "qualifications", "any_of": ["high_tech"]})
    cms.published_item(title="乙丙丁")
    text = get(client, "/policies/", q="高新技术企业")
    assert "共 1 条" in text


def test_the_wildcards_of_like_are_only_characters(client: Client) -> None:
    cms.published_item(title="甲")
    for query in ("%", "_", "a%b", "\\", "'"):
        get(client, "/policies/", q=query)
    assert "共 0 条" in get(client, "/policies/", q="x%y")


def test_the_filters_narrow(client: Client) -> None:
    cms.published_item(title="甲", owner=department("sw", "商务局"), delivery="automatic")
    cms.published_item(title="乙", item_type="rent", criteria={"fact": "size", "in": ["large"]})
    cms.published_item(title="丙", window_until=date(2020, 1, 1))
    cms.published_item(title="丁", criteria={"fact": "industry", "in": ["39"]})
    expectations: list[tuple[dict[str, str], int]] = [
        ({"department": "sw"}, 1),
        ({"type": "rent"}, 1),
        ({"type": "factor"}, 1),
        ({"delivery": "automatic"}, 1),
        ({"size": "micro"}, 3),
        ({"size": "large"}, 4),
        ({"industry": "C"}, 4),
        ({"industry": "I"}, 3),
        ({"open": "1"}, 3),
        ({"department": "nobody"}, 0),
    ]
    for query, count in expectations:
        assert f"共 {count} 条" in get(client, "/policies/", **query), query


def test_pages_follow_one_another(client: Client) -> None:
    for _ in range(21):
        cms.published_item()
    assert "下一页" in get(client, "/policies/")
    assert "上一页" in get(client, "/policies/", page="2")


@pytest.mark.parametrize("value", ["", "0", "-1", "999999999999999999999", "x", "%00", "\x00", "高", "'", "é" * 500])
@pytest.mark.parametrize("name", ["q", "kind", "department", "type", "delivery", "size", "industry", "open", "page"])
def test_no_argument_of_the_list_breaks_it(client: Client, name: str, value: str) -> None:
    cms.library()
    assert client.get("/policies/", {name: value}).status_code == 200


@pytest.mark.parametrize("path", ["/policies/none/", "/fit/none/", "/fit/" + "a" * 300 + "/", "/nothing/"])
def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    cms.library()
    assert client.get(path).status_code == 404


def test_without_any_page_the_list_is_not_found_and_the_catalogue_empty(client: Client) -> None:
    assert client.get("/policies/").status_code == 404
    assert json.loads(client.get("/catalogue.json").content)["items"] == []


def test_a_document_shows_its_items_and_readings(client: Client) -> None:
    document = cms.document_page(title="科技措施", slug="wj", expires_on=date(2020, 1, 1), issued_on=date(2019, 1, 1))
    cms.published_item(title="甲事项", document_page=document)
    cms.item_page(title="还是草稿", document_page=document)
    cms.reading_page(document, title="一图读懂")
    text = get(client, "/policies/wj/")
    assert "甲事项" in text
    assert "一图读懂" in text
    assert "不在有效期内" in text
    assert "还是草稿" not in text


def test_a_reading_leads_to_what_it_explains(client: Client) -> None:
    page = cms.published_item(title="高企奖励", code="kj-one")
    cms.reading_page(page, slug="jd")
    text = get(client, "/policies/jd/")
    assert "/policies/kj-one/" in text
    assert "问：问" in text


def test_the_catalogue_is_data_in_two_forms(client: Client) -> None:
    cms.published_item(code="kj-one", title="=高企奖励", award={"rules": [{"fixed": "200000"}]})
    entry = json.loads(client.get("/catalogue.json").content)["items"][0]
    assert (entry["code"], entry["version"], entry["award_text"][0]) == ("kj-one", 1, "给予 20 万元。")
    assert entry["url"] == "http://testserver/policies/kj-one/"
    assert entry["rules"]["criteria"] == cms.HERE
    body = client.get("/catalogue.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(body)))
    assert rows[0]["事项编码"] == "kj-one"
    # A spreadsheet must not take a name for a formula.
    assert rows[0]["事项名称"] == "'=高企奖励"


def test_what_officers_wrote_is_text_and_never_markup(client: Client) -> None:
    page = cms.published_item(code="kj-one", title="<script>alert(1)</script>", summary="<b>粗</b>", assessment="<i>")
    cms.reading_page(page, slug="jd", body=[("paragraph", "<script>x</script>")])
    for url in ("/", "/policies/", "/policies/kj-one/", "/policies/jd/", "/fit/kj-one/"):
        text = get(client, url)
        assert "<script>alert(1)" not in text
        assert "<script>x" not in text
        assert "<b>粗" not in text
