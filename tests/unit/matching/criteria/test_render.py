"""Criteria as numbered Chinese text."""

from typing import Any

import pytest

from matching.criteria import criteria_text, leaves, render_criteria

from .samples import VOCABULARY, tree


def text(criteria: Any) -> str:
    return criteria_text(tree(criteria), VOCABULARY)


def test_no_condition_is_open_to_every_enterprise() -> None:
    assert text({"all": []}) == "面向所有企业，无其他条件"


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"fact": "region", "in": ["5101"]}, "注册地属于“成都市”"),
        ({"fact": "size", "in": ["micro", "small"]}, "企业规模属于“微型”、“小型”之一"),
        ({"not": {"fact": "size", "in": ["large"]}}, "企业规模不属于“大型”"),
        ({"not": {"not": {"fact": "size", "in": ["large"]}}}, "企业规模属于“大型”"),
        ({"fact": "staff", "gte": 10, "soft": True}, "原则上职工人数不低于 10 人"),
        ({"fact": "staff", "gt": 10, "lte": 20}, "职工人数高于 10 人且不超过 20 人"),
        ({"not": {"fact": "staff", "gt": 10, "lte": 20}}, "职工人数不是“高于 10 人且不超过 20 人”"),
        ({"not": {"fact": "staff", "lt": 10}}, "职工人数不低于 10 人"),
        ({"fact": "revenue", "gte": "20000000"}, "上年度营业收入不低于 2,000 万元"),
        ({"fact": "revenue", "eq": 5, "year": "2024"}, "2024 年度营业收入等于 5 元"),
        ({"fact": "revenue", "gte": 5, "year": "this"}, "本年度营业收入不低于 5 元"),
        ({"fact": "revenue", "gte": 5, "year": "before_last", "growth": True}, "前年度营业收入同比增幅不低于 5%"),
        (
            {"fact": "revenue", "gte": 5, "years": 3, "over": "mean"},
            "截至上年度的三年年均营业收入不低于 5 元",
        ),
        (
            {"fact": "rd", "gte": 5, "years": 2, "over": "sum", "percent_of": "revenue"},
            "截至上年度的两年合计的研发费用占营业收入的比例不低于 5%",
        ),
        (
            {"not": {"fact": "rd", "gte": 5, "years": 2, "over": "each", "year": "2024"}},
            "截至 2024 年度的两年（2023—2024 年）每年的研发费用不是都不低于 5 元",
        ),
        ({"fact": "founded", "within_last": "P3Y"}, "成立日期在近 3 年内"),
        ({"fact": "founded", "at_least_ago": "P90D"}, "成立日期至今已满 90 天"),
        (
            {"fact": "founded", "on_or_after": "2020-01-01", "on_or_before": "2024-12-31"},
            "成立日期在 2020-01-01 至 2024-12-31 之间",
        ),
        ({"fact": "listed", "is": False}, "已上市：否"),
        ({"fact": "qualifications", "any_of": ["srdi", "giant"]}, "资质中现有“专精特新”、“小巨人”之一"),
        ({"fact": "qualifications", "all_of": ["srdi", "giant"]}, "资质中现有“专精特新”、“小巨人”的每一项"),
        (
            {"fact": "qualifications", "none_of": ["srdi", "giant"], "held": "ever"},
            "资质中从未有“专精特新”、“小巨人”中的任何一项",
        ),
        ({"not": {"fact": "qualifications", "any_of": ["srdi"]}}, "资质中现没有“专精特新”"),
        ({"not": {"fact": "qualifications", "none_of": ["srdi"]}}, "资质中现有“专精特新”"),
        (
            {
                "fact": "patents",
                "any_of": ["invention"],
                "first": True,
                "obtained": {"within_last": "P1Y"},
                "where": {"rank": {"lte": 3}},
                "amount": {"gte": 2},
            },
            "知识产权中现有“发明专利”（取得日期在近 1 年内；只计首次取得；名次不超过 3），金额合计不低于 2 元",
        ),
    ],
)
def test_every_kind_of_leaf_reads_as_a_sentence(criteria: Any, expected: str) -> None:
    assert text(criteria) == expected


def test_groups_are_headings_over_numbered_members() -> None:
    leaf = {"fact": "listed", "is": True}
    criteria = {
        "all": [
            leaf,
            {"at_least": 2, "of": [leaf, leaf, {"any": [leaf]}]},
            {"if": {"fact": "staff", "gte": 10}, "then": leaf},
            {"not": {"any": [leaf, {"not": leaf}]}},
        ]
    }
    assert text(criteria).split("\n") == [
        "同时符合下列条件：",
        "  1 已上市：是",
        "  2 符合下列条件中的两项：",
        "    2.1 已上市：是",
        "    2.2 已上市：是",
        "    2.3 符合下列条件之一：",
        "      2.3.1 已上市：是",
        "  3 符合前提的，须满足要求：",
        "    3.1 要求：已上市：是",
        "    3.2 前提：职工人数不低于 10 人",
        "  4 不得符合下列任何一项条件：",
        "    4.1 已上市：是",
        "    4.2 已上市：否",
    ]


def test_each_leaf_has_one_line_that_names_it() -> None:
    criteria = {"if": {"fact": "staff", "gte": 10}, "then": {"not": {"fact": "listed", "is": True, "id": "x"}}}
    lines = render_criteria(tree(criteria), VOCABULARY)
    assert [line.leaf_id for line in lines if line.leaf_id] == [leaf.id for leaf in leaves(tree(criteria))]
    assert [(line.depth, line.number) for line in lines] == [(0, ""), (1, "1"), (1, "2")]


@pytest.mark.parametrize(
    ("needed", "said"), [(1, "一项"), (2, "两项"), (3, "三项"), (10, "十项"), (11, "十一项"), (20, "二十项")]
)
def test_small_numbers_are_said_in_words(needed: int, said: str) -> None:
    criteria = {"at_least": needed, "of": [{"fact": "listed", "is": True}] * 30}
    assert text(criteria).startswith(f"符合下列条件中的{said}：")
