"""An award, told as sentences."""

from typing import Any

import pytest

from cms.award_words import award_headline, award_sentences
from matching.criteria.award import parse_award
from matching.vocabulary import load_default

VOCABULARY = load_default()


def told(award: dict[str, Any] | None) -> list[str]:
    return award_sentences(None if award is None else parse_award(award, VOCABULARY), VOCABULARY)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"fixed": "200000"}, "给予 20 万元。"),
        ({"rate": "50", "of": "invoice_total", "cap": "1000000"}, "按有效发票金额的 50% 给予，最高 100 万元。"),
        (
            {"rate": "5", "of": "revenue@last", "cap_fact": "district_contribution@last"},
            "按上年度营业收入的 5% 给予，且不超过上年度地方贡献。",
        ),
        (
            {"of": "output_increase", "brackets": [{"upto": "60000000", "rate": "1"}, {"rate": "1.2"}]},
            "按新增产值分档计算：6,000 万元 以内的部分 1%，超过 6,000 万元 的部分 1.2%。",
        ),
        (
            {"each": "1000", "of": "hired_people", "quantity_cap": "200"},
            "按新招用并参保人数，每人 1,000 元，最多计 200 人。",
        ),
        (
            {"when": {"fact": "registered_region", "in": ["510105"]}, "fixed": "5000"},
            "注册地属于“青羊区”的，给予 5,000 元。",
        ),
    ],
)
def test_each_kind_of_rule_has_its_sentence(rule: dict[str, Any], sentence: str) -> None:
    assert told({"rules": [rule]})[0] == sentence


def test_several_rules_say_how_they_go_together_and_are_numbered() -> None:
    lines = told({"rules": [{"fixed": "1"}, {"fixed": "2"}], "choose": "highest"})
    assert lines[0] == "以下各条就高享受一条："
    assert lines[1].startswith("（1）")
    assert lines[2].startswith("（2）")


def test_the_last_of_several_in_order_is_for_all_others() -> None:
    here = {"fact": "registered_region", "in": ["510105"]}
    assert told({"rules": [{"when": here, "fixed": "2"}, {"fixed": "1"}]})[2] == "（2）其他符合条件的，给予 1 元。"


def test_caps_bonuses_instalments_and_shortfall_are_told() -> None:
    lines = told(
        {
            "rules": [{"rate": "10", "of": "invoice_total"}],
            "bonus_points": [{"points": "5"}],
            "rate_limit": "20",
            "cap_total": "5000000",
            "cap_per_year": "2000000",
            "instalments": ["40", "60"],
            "shortfall": "defer",
        }
    )
    assert lines[1:] == [
        "补助比例提高 5 个百分点。",
        "补助比例（含加成）最高 20%。",
        "合计最高 500 万元。",
        "同一企业每年最高 200 万元。",
        "分 2 期拨付：40%、60%。",
        "预算不足时，顺延到下一年度兑现。",
    ]


def test_an_item_without_award_says_so() -> None:
    assert told(None) == ["本事项不涉及资金。"]


@pytest.mark.parametrize(
    ("award", "headline"),
    [
        ({"rules": [{"fixed": "200000"}]}, "20 万元"),
        ({"rules": [{"fixed": "200000"}, {"fixed": "100000"}]}, "最高 20 万元"),
        ({"rules": [{"fixed": "200000"}, {"fixed": "100000"}], "choose": "sum"}, "最高 30 万元"),
        ({"rules": [{"rate": "50", "of": "invoice_total"}], "cap_total": "80000"}, "最高 8 万元"),
        ({"rules": [{"each": "1000", "of": "hired_people", "quantity_cap": "200"}]}, "最高 20 万元"),
        ({"rules": [{"rate": "50", "of": "invoice_total"}]}, "最高按 50% 支持"),
        ({"rules": [{"fixed": "500"}], "cap_total": "300"}, "300 元"),
    ],
)
def test_the_headline_never_promises_more_than_the_caps(award: dict[str, Any], headline: str) -> None:
    assert award_headline(parse_award(award, VOCABULARY)) == headline
