"""Explanations: what was compared with what, how much is missing, where it comes from. As of 2026-11-22."""

from datetime import date
from typing import Any

import pytest

from matching.criteria import Explanation, Outcome, explain

from .samples import AS_OF, VOCABULARY, facts, tree


def told(criteria: Any, as_of: date = AS_OF, **values: Any) -> Explanation:
    return explain(tree(criteria), facts(**values), as_of, VOCABULARY)


def sentence(criteria: Any, **values: Any) -> str:
    """The comparison of a tree's first leaf."""
    return told(criteria, **values).leaves[0].comparison


def test_a_missing_amount_is_told_as_in_the_contract() -> None:
    found = sentence({"fact": "revenue", "gte": "20000000"}, revenue={"2025": "18200000"})
    assert found == "上年度（2025 年）营业收入 1,820 万元，要求不低于 2,000 万元，还差 180 万元"


@pytest.mark.parametrize(
    ("criteria", "values", "expected"),
    [
        ({"fact": "staff", "lte": 10}, {"staff": 12}, "职工人数 12 人，要求不超过 10 人，超出 2 人"),
        ({"fact": "staff", "gt": 10}, {"staff": 10}, "职工人数 10 人，要求高于 10 人，须高于 10 人"),
        ({"fact": "staff", "gte": 5, "lt": 10}, {"staff": 7}, "职工人数 7 人，要求不低于 5 人且低于 10 人"),
        ({"fact": "staff", "eq": 5}, {"staff": 7}, "职工人数 7 人，要求等于 5 人，超出 2 人"),
        ({"not": {"fact": "staff", "gte": 10}}, {"staff": 12}, "职工人数 12 人，要求低于 10 人，超出 2 人"),
        (
            {"fact": "rd_staff", "gte": 20, "percent_of": "staff"},
            {"rd_staff": 1, "staff": 8},
            "研发人员占职工人数的比例 12.5%，要求不低于 20%，还差 7.5 个百分点",
        ),
        (
            {"fact": "rd_staff", "gte": 34, "percent_of": "staff"},
            {"rd_staff": 1, "staff": 3},
            "研发人员占职工人数的比例 约 33.33%，要求不低于 34%，还差约 0.67 个百分点",
        ),
        (
            {"fact": "rd_staff", "gte": 34, "percent_of": "staff"},
            {"rd_staff": 1, "staff": 0},
            "职工人数不大于 0，无法计算研发人员占职工人数的比例",
        ),
        (
            {"fact": "revenue", "gte": 10, "growth": True},
            {"revenue": {"2024": 100, "2025": 105}},
            "上年度（2025 年）营业收入同比增幅 5%，要求不低于 10%，还差 5 个百分点",
        ),
        (
            {"fact": "revenue", "gte": 10, "growth": True},
            {"revenue": {"2024": 0, "2025": 105}},
            "2024 年营业收入不大于 0，无法计算同比增幅",
        ),
        (
            {"fact": "revenue", "gte": 10, "years": 3, "over": "sum"},
            {"revenue": {"2024": 1}},
            "缺少 2023 年、2025 年营业收入（来源：税务），要求截至上年度的三年（2023—2025 年）合计营业收入不低于 10 元",
        ),
        (
            {"fact": "revenue", "gte": 10, "years": 2, "over": "mean"},
            {"revenue": {"2024": 1, "2025": 2}},
            "截至上年度的两年（2024—2025 年）年均营业收入 1.5 元，要求不低于 10 元，还差 8.5 元",
        ),
        (
            {"fact": "revenue", "gte": 10, "years": 2, "over": "each"},
            {"revenue": {"2024": 4, "2025": 12}},
            "截至上年度的两年每年的营业收入：2024 年 4 元（还差 6 元）、2025 年 12 元，要求每年都不低于 10 元",
        ),
        ({"fact": "region", "in": ["510105"]}, {"region": "510107"}, "注册地为“武侯区”，要求属于“青羊区”"),
        (
            {"fact": "region", "not_in": ["510105", "510107"]},
            {"region": "510107"},
            "注册地为“武侯区”，要求不属于“青羊区”、“武侯区”任何一项",
        ),
        ({"fact": "listed", "is": True}, {"listed": False}, "已上市：否，要求：是"),
        (
            {"fact": "founded", "within_last": "P3Y"},
            {"founded": "2023-11-20"},
            "成立日期 2023-11-20，要求在近 3 年内（2023-11-22 至 2026-11-22），早了 2 天",
        ),
        (
            {"fact": "founded", "at_least_ago": "P1Y6M"},
            {"founded": "2025-05-23"},
            "成立日期 2025-05-23，要求至今已满 1 年零 6 个月（不晚于 2025-05-22），晚了 1 天",
        ),
        (
            {"fact": "qualifications", "any_of": ["high_tech"]},
            {"qualifications": ["srdi"]},
            "资质中没有“高新技术企业”的记录，要求资质中现有“高新技术企业”",
        ),
        (
            {"fact": "qualifications", "any_of": ["high_tech"]},
            {"qualifications": [{"code": "high_tech", "on": "2020-01-01", "until": "2022-12-31"}]},
            "资质：“高新技术企业”（2020-01-01 取得，2022-12-31 已到期，不在所列范围），要求资质中现有“高新技术企业”",
        ),
        (
            {"fact": "qualifications", "all_of": ["high_tech", "srdi"]},
            {"qualifications": ["srdi"]},
            "资质：“专精特新”（符合所列范围），要求资质中现有“高新技术企业”、“专精特新”的每一项，还缺“高新技术企业”",
        ),
        (
            {"fact": "patents", "any_of": ["patent"], "count": {"gte": 3}},
            {"patents": ["invention"]},
            "知识产权：“发明专利”（符合所列范围），符合的 1 项，还差 2 项，要求知识产权中现有“专利”，共计不少于 3 项",
        ),
    ],
)
def test_each_type_of_leaf_says_what_was_compared_with_what(criteria: Any, values: Any, expected: str) -> None:
    assert sentence(criteria, **values) == expected


def test_an_unknown_leaf_says_what_is_missing_and_where_it_comes_from() -> None:
    leaf = told({"fact": "staff", "gte": 10}).leaves[0]
    assert leaf.comparison == "缺少职工人数（来源：人社），要求职工人数不低于 10 人"
    assert leaf.missing == (("staff", "职工人数", "人社"),)
    assert sentence({"fact": "investment", "gte": 10}).startswith("缺少项目总投资（申报时填写）")
    share = told({"fact": "loan", "lte": 50, "percent_of": "investment"}, loan=1).leaves[0]
    assert share.missing == (("investment", "项目总投资", "申报时填写"),)


def test_a_percentage_just_short_of_its_bound_is_not_rounded_onto_it() -> None:
    found = sentence({"fact": "rd_staff", "gte": 50, "percent_of": "staff"}, rd_staff=1000000, staff=2000001)
    assert "约 49.99998%" in found


def test_each_leaf_carries_its_clause_evidence_and_advice_and_whether_it_is_on_the_way() -> None:
    words = {"text": "第三条", "evidence": ["m1"], "advice": "补足", "id": "staff"}
    found = told(
        {"any": [{"fact": "staff", "gte": 10, **words}, {"fact": "listed", "is": True}]}, staff=9, listed=False
    )
    leaf = found.leaf("staff")
    assert (leaf.clause, leaf.evidence, leaf.advice, leaf.on_way) == ("第三条", ("m1",), "补足", True)
    assert (leaf.outcome, found.unmet, found.leaf("any.1").on_way) == (Outcome.UNMET, ("staff",), False)


def test_a_soft_leaf_is_warned_of_and_decides_nothing() -> None:
    found = told({"fact": "staff", "gte": 10, "soft": True}, staff=9)
    assert found.verdict == "eligible"
    assert [leaf.id for leaf in found.warnings] == ["root"]
    assert found.leaves[0].requirement == "原则上职工人数不低于 10 人"
    assert found.leaves[0].comparison.endswith("（原则上的要求，不影响结论）")


def test_a_negated_leafs_outcome_is_that_of_its_negation() -> None:
    found = told({"not": {"fact": "listed", "is": True}}, listed=False).leaves[0]
    assert (found.outcome, found.negated, found.requirement) == (Outcome.MET, True, "已上市：否")


def test_the_json_form_is_plain_and_complete() -> None:
    found = told({"fact": "staff", "gte": 10, "id": "s", "text": "t"}, staff=9).to_json()
    assert found == {
        "verdict": "ineligible",
        "unmet": ["s"],
        "unknown": [],
        "form_only": False,
        "as_of": "2026-11-22",
        "leaves": [
            {
                "id": "s",
                "label": "职工人数",
                "outcome": "unmet",
                "negated": False,
                "soft": False,
                "on_way": True,
                "requirement": "职工人数不低于 10 人",
                "comparison": "职工人数 9 人，要求不低于 10 人，还差 1 人",
                "clause": "t",
                "evidence": [],
                "advice": "",
                "missing": [],
            }
        ],
    }


def test_a_condition_over_a_vast_number_of_years_is_told_in_a_short_sentence() -> None:
    for over in ("sum", "each"):
        found = sentence({"fact": "revenue", "gte": 1, "years": 10**9, "over": over}, revenue={"2025": 1, "2024": 2})
        assert len(found) < 400
