"""Every mistake in an award is refused with its place and what is allowed."""

from typing import Any

import pytest

from matching.criteria import InvalidInput, Vocabulary, parse_vocabulary
from matching.criteria.award import parse_award

VOCABULARY: Vocabulary = parse_vocabulary(
    {
        "code_lists": {"size": {"codes": {"small": "小型"}}},
        "facts": [
            {"key": "spent", "label": "支出", "type": "number", "unit": "元"},
            {"key": "revenue", "label": "营业收入", "type": "yearly", "unit": "元"},
            {"key": "size", "label": "规模", "type": "code", "codes": "size"},
            {"key": "flag", "label": "标志", "type": "boolean"},
        ],
    }
)
FIXED = {"fixed": "1"}
RATE = {"rate": "50", "of": "spent"}


def brackets(*items: Any) -> dict[str, Any]:
    return {"rules": [{"of": "spent", "brackets": list(items)}]}


BAD: list[tuple[Any, str, str]] = [
    ([], "award", "应是对象"),
    ({}, "award", "缺少键 rules"),
    ({"rules": {}}, "award.rules", "应是列表"),
    ({"rules": []}, "award.rules", "不能为空"),
    ({"rules": ["200"]}, "award.rules.0", "应是对象"),
    ({"rules": [{}]}, "award.rules.0", "一个也没有"),
    ({"rules": [{"fixed": "1", "rate": "5", "of": "spent"}]}, "award.rules.0", "须且只须有"),
    ({"rules": [FIXED], "colour": "red"}, "award.colour", "没有这个键"),
    ({"rules": [{**FIXED, "colour": 1}]}, "award.rules.0.colour", "没有这个键"),
    ({"rules": [{"fixed": "-1"}]}, "award.rules.0.fixed", "不能小于 0"),
    ({"rules": [{"fixed": 1.5}]}, "award.rules.0.fixed", "十进制文本"),
    ({"rules": [{"fixed": "1e3"}]}, "award.rules.0.fixed", "十进制文本"),
    ({"rules": [{"fixed": "1234567890123456"}]}, "award.rules.0.fixed", "15 位"),
    ({"rules": [{"fixed": True}]}, "award.rules.0.fixed", "十进制文本"),
    ({"rules": [{"fixed": "1", "of": "spent"}]}, "award.rules.0.of", "没有 of"),
    ({"rules": [{"rate": "50"}]}, "award.rules.0", "缺少键 of"),
    ({"rules": [{"rate": "-1", "of": "spent"}]}, "award.rules.0.rate", "不能小于 0"),
    ({"rules": [{**RATE, "quantity_cap": "5"}]}, "award.rules.0.quantity_cap", "只有 each"),
    ({"rules": [{**RATE, "cap": "-5"}]}, "award.rules.0.cap", "不能小于 0"),
    ({"rules": [{"rate": "50", "of": "unheard"}]}, "award.rules.0.of", "词表中没有事实"),
    ({"rules": [{"rate": "50", "of": "size"}]}, "award.rules.0.of", "只能用 number 或 yearly"),
    ({"rules": [{"rate": "50", "of": "revenue"}]}, "award.rules.0.of", "须指明年度"),
    ({"rules": [{"rate": "50", "of": "revenue@"}]}, "award.rules.0.of", "@ 后的年度"),
    ({"rules": [{"rate": "50", "of": "revenue@next"}]}, "award.rules.0.of", "@ 后的年度"),
    ({"rules": [{"rate": "50", "of": "revenue@24"}]}, "award.rules.0.of", "@ 后的年度"),
    ({"rules": [{"rate": "50", "of": "spent@last"}]}, "award.rules.0.of", "不分年度"),
    ({"rules": [{"rate": "50", "of": 7}]}, "award.rules.0.of", "应是文本"),
    ({"rules": [{**RATE, "cap_fact": "flag"}]}, "award.rules.0.cap_fact", "只能用 number 或 yearly"),
    ({"rules": [{"when": {"fact": "flag"}, **FIXED}]}, "award.rules.0.when", ""),
    ({"rules": [{"when": {"fact": "size", "in": ["big"]}, **FIXED}]}, "award.rules.0.when.in.0", ""),
    (brackets(), "award.rules.0.brackets", "不能为空"),
    (brackets({"upto": "5", "rate": "1"}), "award.rules.0.brackets.0.upto", "最后一档没有 upto"),
    (brackets({"rate": "1"}, {"rate": "2"}), "award.rules.0.brackets.0", "都要有 upto"),
    (
        brackets({"upto": "5", "rate": "1"}, {"upto": "5", "rate": "2"}, {"rate": "3"}),
        "award.rules.0.brackets.1.upto",
        "逐档升高",
    ),
    (brackets({"upto": "0", "rate": "1"}, {"rate": "3"}), "award.rules.0.brackets.0.upto", "逐档升高"),
    (brackets({"upto": "5"}, {"rate": "3"}), "award.rules.0.brackets.0", "缺少键 rate"),
    (brackets({"rate": "-3"}), "award.rules.0.brackets.0.rate", "不能小于 0"),
    (brackets("5"), "award.rules.0.brackets.0", "应是对象"),
    ({"rules": [FIXED], "choose": "lowest"}, "award.choose", "first、highest、sum"),
    ({"rules": [FIXED], "rounding": "up"}, "award.rounding", "cent、yuan"),
    ({"rules": [FIXED], "shortfall": "never"}, "award.shortfall", "first_come、pro_rata、defer"),
    ({"rules": [FIXED], "cap_total": "-1"}, "award.cap_total", "不能小于 0"),
    ({"rules": [FIXED], "cap_per_year": "x"}, "award.cap_per_year", "十进制文本"),
    ({"rules": [FIXED], "rate_limit": "-1"}, "award.rate_limit", "不能小于 0"),
    ({"rules": [FIXED], "bonus_points": [{"when": {"fact": "flag", "is": True}}]}, "award.bonus_points.0", "points"),
    ({"rules": [FIXED], "bonus_points": [{"points": "-5"}]}, "award.bonus_points.0.points", "不能小于 0"),
    ({"rules": [FIXED], "bonus_points": {"points": "5"}}, "award.bonus_points", "应是列表"),
    ({"rules": [FIXED], "instalments": ["40", "30"]}, "award.instalments", "相加须为 100，现为 70"),
    ({"rules": [FIXED], "instalments": ["100.5", "-0.5"]}, "award.instalments.1", "大于 0"),
    ({"rules": [FIXED], "instalments": ["100", "0"]}, "award.instalments.1", "大于 0"),
    ({"rules": [FIXED], "instalments": []}, "award.instalments", "相加须为 100"),
    ({"rules": [FIXED], "exclusive_with": [7]}, "award.exclusive_with.0", "应是文本"),
    ({"rules": [FIXED], "exclusive_with": [""]}, "award.exclusive_with.0", "不能是空文本"),
    ({"rules": [FIXED], "exclusive_with": "b"}, "award.exclusive_with", "应是列表"),
]


@pytest.mark.parametrize(("data", "place", "message"), BAD)
def test_a_mistake_is_refused_with_its_place_and_what_is_allowed(data, place, message):
    with pytest.raises(InvalidInput) as refused:
        parse_award(data, VOCABULARY)
    places = {problem.path: problem.message for problem in refused.value.problems}
    assert any(path.startswith(place) and message in said for path, said in places.items()), places


def test_every_mistake_is_told_at_once():
    data = {"rules": [{"rate": "-5"}, {"when": {"fact": "nope", "is": True}, "fixed": "x"}], "instalments": ["10"]}
    with pytest.raises(InvalidInput) as refused:
        parse_award(data, VOCABULARY, "7")
    assert [problem.path.split(".")[0] for problem in refused.value.problems] == ["7"] * 5


@pytest.mark.parametrize("shares", [["100"], [40, "30", "30"], ["33.3", "33.3", "33.4"]])
def test_instalments_that_add_to_a_hundred_are_taken(shares):
    assert len(parse_award({"rules": [FIXED], "instalments": shares}, VOCABULARY).instalments) == len(shares)


def test_a_single_bracket_needs_no_threshold():
    assert parse_award(brackets({"rate": "3"}), VOCABULARY).rules[0].brackets[0].upto is None
