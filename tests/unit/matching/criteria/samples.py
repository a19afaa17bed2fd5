"""A small vocabulary with every type of fact, and short ways to ask about one leaf or one tree."""

from datetime import date
from typing import Any

from matching.criteria import Evaluation, Facts, InvalidInput, Node, evaluate, parse_criteria, parse_facts
from matching.criteria.vocabulary import parse_vocabulary

VOCABULARY_JSON: dict[str, Any] = {
    "code_lists": {
        "region": {
            "hierarchy": "prefix",
            "codes": {"51": "四川省", "5101": "成都市", "510105": "青羊区", "510107": "武侯区", "5107": "绵阳市"},
        },
        "size": {
            "hierarchy": "parents",
            "parents": {"micro": "sme", "small": "sme", "medium": "sme"},
            "codes": {"sme": "中小微企业", "micro": "微型", "small": "小型", "medium": "中型", "large": "大型"},
        },
        "qualification": {
            "hierarchy": "none",
            "codes": {"high_tech": "高新技术企业", "srdi": "专精特新", "giant": "小巨人"},
        },
        "patent": {
            "hierarchy": "parents",
            "parents": {"invention": "patent", "utility": "patent"},
            "codes": {"patent": "专利", "invention": "发明专利", "utility": "实用新型专利"},
        },
    },
    "facts": [
        {
            "key": "region",
            "label": "注册地",
            "type": "code",
            "codes": "region",
            "source": "市场监管",
            "fresh_for": "P1Y",
        },
        {"key": "size", "label": "企业规模", "type": "code", "codes": "size"},
        {"key": "revenue", "label": "营业收入", "type": "yearly", "unit": "元", "source": "税务"},
        {"key": "rd", "label": "研发费用", "type": "yearly", "unit": "元", "source": "税务"},
        {"key": "staff", "label": "职工人数", "type": "number", "unit": "人", "source": "人社"},
        {"key": "rd_staff", "label": "研发人员", "type": "number", "unit": "人"},
        {"key": "founded", "label": "成立日期", "type": "date", "source": "市场监管"},
        {"key": "listed", "label": "已上市", "type": "boolean"},
        {"key": "qualifications", "label": "资质", "type": "records", "codes": "qualification"},
        {"key": "patents", "label": "知识产权", "type": "records", "codes": "patent", "unit": "元"},
        {"key": "investment", "label": "项目总投资", "type": "number", "unit": "元", "scope": "application"},
        {"key": "loan", "label": "项目贷款", "type": "number", "unit": "元", "scope": "application"},
    ],
}
VOCABULARY = parse_vocabulary(VOCABULARY_JSON)
AS_OF = date(2026, 11, 22)


def tree(criteria: Any) -> Node:
    return parse_criteria(criteria, VOCABULARY)


def facts(**values: Any) -> Facts:
    return parse_facts(values, VOCABULARY)


def judge(criteria: Any, as_of: date = AS_OF, **values: Any) -> Evaluation:
    return evaluate(tree(criteria), facts(**values), as_of)


def truth(criteria: Any, as_of: date = AS_OF, **values: Any) -> bool | None:
    """True, False or None of a whole tree."""
    return {"eligible": True, "ineligible": False, "undetermined": None}[judge(criteria, as_of, **values).verdict]


def mistakes(criteria: Any) -> dict[str, str]:
    """Place → message of what is wrong with criteria; empty where nothing is."""
    try:
        tree(criteria)
    except InvalidInput as error:
        return {problem.path: problem.message for problem in error.problems}
    return {}


def wrong_facts(**values: Any) -> dict[str, str]:
    try:
        facts(**values)
    except InvalidInput as error:
        return {problem.path: problem.message for problem in error.problems}
    return {}
