"""“适合我的企业吗？”: asked without login, answered with reasons, stored nowhere."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import cms
from tests.rounds import first_round_only

pytestmark = pytest.mark.django_db
YEAR = timezone.localdate().year


def item(criteria: dict[str, Any], award: dict[str, Any] | None = None) -> str:
    return f"/fit/{cms.published_item(criteria=criteria, award=award).code}/"


def ask(client: Client, url: str, **answers: Any) -> str:
    response = client.post(url, answers)
    assert response.status_code == 200
    return response.content.decode()


def test_the_form_asks_for_what_the_rules_look_at_and_nothing_else(client: Client) -> None:
    url = item(
        {"all": [{"fact": "revenue", "gte": "1", "years": 2, "over": "sum"}, {"fact": "has_own_accounts", "is": True}]},
        {"rules": [{"rate": "10", "of": "invoice_total"}]},
    )
    text = client.get(url).content.decode()
    for label in ("营业收入", f"{YEAR - 1} 年", f"{YEAR - 2} 年", "独立核算", "有效发票金额", "不清楚"):
        assert label in text
    assert f"{YEAR - 3} 年" not in text
    assert "注册地" not in text


def test_an_enterprise_that_qualifies_is_told_so_with_its_money(client: Client) -> None:
    url = item(
        {"fact": "registered_region", "in": ["510105"]},
        {"rules": [{"rate": "50", "of": "invoice_total", "cap": "1000000"}]},
    )
    text = ask(client, url, q0="510105", q1="1,200,000")
    assert "符合全部条件" in text
    assert "600,000.00 元" in text
    assert "怎么算的" in text


def test_a_shortfall_is_told_with_the_nearest_way_and_the_advice(client: Client) -> None:
    url = item({"fact": "revenue", "gte": "20000000", "text": "规模条款", "advice": "做大一点"})
    text = ask(client, url, **{f"q0_{YEAR - 1}": "1820万"})
    assert "暂不符合" in text
    assert "还差 180 万元" in text
    assert "做大一点" in text
    assert "规模条款" in text


def test_what_is_left_open_is_unknown_and_named(client: Client) -> None:
    url = item({"all": [{"fact": "registered_region", "in": ["510105"]}, {"fact": "is_headquarters", "is": True}]})
    text = ask(client, url, q0="510105", q1="unknown")
    assert "还差一些信息" in text
    assert "总部机构" in text


def test_only_form_facts_missing_reads_as_fitting(client: Client) -> None:
    url = item({"fact": "project_investment", "gte": "1000000"})
    assert "符合，具体看申报表" in ask(client, url)


def test_records_are_asked_simply(client: Client) -> None:
    url = item({"fact": "qualifications", "any_of": ["high_tech", "gazelle"], "obtained": {"within_last": "P1Y"}})
    today = timezone.localdate().isoformat()
    assert "符合全部条件" in ask(client, url, q0="some", q0_0="on", q0_0_on=today)
    assert "暂不符合" in ask(client, url, q0="some", q0_0="on", q0_0_on="2001-01-01")
    assert "还差一些信息" in ask(client, url, q0="some", q0_0="on")
    assert "暂不符合" in ask(client, url, q0="none")
    assert "还差一些信息" in ask(client, url, q0="unknown")


def test_numbers_of_records_are_asked_as_a_number(client: Client) -> None:
    url = item({"fact": "intellectual_property", "any_of": ["invention"], "count": {"gte": "3"}, "held": "ever"})
    text = client.get(url).content.decode()
    assert "数量" in text
    assert "符合全部条件" in ask(client, url, q0="some", q0_0="on", q0_0_quantity="3")
    assert "暂不符合" in ask(client, url, q0="some", q0_0="on", q0_0_quantity="2")


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({f"q0_{YEAR - 1}": "很多"}, "请填写数字"),
        ({f"q0_{YEAR - 1}": "1" * 30}, "有效数字"),
        ({"q1": "999"}, "999"),
        ({"q2": "none", "q2_0": "on"}, "都没有"),
        ({"q2": "some"}, "请勾选"),
        ({"q2_0": "on", "q2_0_on": "昨天"}, "日期"),
        ({"q2_0": "on", "q2_0_on": "2025-02-01", "q2_0_until": "2025-01-01"}, "不能早于"),
        ({"q3": "31.12.2025x"}, "日期"),
    ],
)
def test_a_bad_answer_is_told_beside_its_field(client: Client, answers: dict[str, str], told: str) -> None:
    url = item(
        {
            "all": [
                {"fact": "revenue", "gte": "1"},
                {"fact": "registered_region", "in": ["510105"]},
                {"fact": "qualifications", "any_of": ["high_tech"], "obtained": {"within_last": "P1Y"}},
                {"fact": "established_on", "on_or_before": "2026-01-01"},
            ]
        }
    )
    text = ask(client, url, **answers)
    assert "有内容需要更正" in text
    assert told in text
    assert 'id="result"' not in text


def test_an_item_for_everybody_asks_nothing(client: Client) -> None:
    text = client.get(item({"all": []})).content.decode()
    assert "面向所有企业" in text
    assert "<select" not in text


def test_nothing_is_written(client: Client) -> None:
    url = item({"fact": "registered_region", "in": ["510105"]})
    with CaptureQueriesContext(connection) as captured:
        client.post(url, {"q0": "510105"})
    assert not [query for query in captured if not query["sql"].lstrip().upper().startswith("SELECT")]
    assert client.get(url)["Cache-Control"] == "no-store"


def test_an_item_that_was_withdrawn_is_not_found(client: Client) -> None:
    page = cms.published_item()
    page.unpublish()
    assert client.get(f"/fit/{page.code}/").status_code == 404


@first_round_only
def test_every_item_of_the_demo_district_can_be_asked_about(client: Client, tmp_path: Any) -> None:
    import json
    from datetime import date

    from django.core.management import call_command

    from matching.models import PolicyItem
    from portal.demo.policies import import_lines

    path = tmp_path / "demo.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in import_lines(date(2026, 11, 22))), encoding="utf-8")
    call_command("import_policies", str(path), "--publish")
    for code in PolicyItem.objects.values_list("code", flat=True):
        assert client.get(f"/policies/{code}/").status_code == 200
        assert client.get(f"/fit/{code}/").status_code == 200
        assert 'id="result"' in ask(client, f"/fit/{code}/")
