"""Criteria and award as JSON text: the widget, and reading them by the vocabulary in force."""

from django import forms
from django.utils.translation import gettext_lazy as _

from matching.criteria import Node, load_json, parse_criteria
from matching.criteria.award import Award, parse_award
from matching.services.vocabulary import current_vocabulary


class JsonTextarea(forms.Textarea):
    """A wide, monospaced text area that neither wraps nor corrects what is typed."""

    def __init__(self) -> None:
        style = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;white-space:pre;overflow-x:auto"
        attrs = {"rows": 16, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off", "style": style}
        super().__init__(attrs=attrs)


def read_criteria(text: str) -> Node:
    """Parse criteria JSON by the vocabulary in force. Raises InvalidInput with every mistake and its place."""
    return parse_criteria(load_json(text, "criteria"), current_vocabulary())


def read_award(text: str) -> Award:
    """Parse award JSON by the vocabulary in force. Raises InvalidInput with every mistake and its place."""
    return parse_award(load_json(text, "award"), current_vocabulary())


CRITERIA_HELP = _(
    '条件语言（JSON）。例：{"all": [{"fact": "registered_region", "in": ["510105"], "text": "条款原文", '
    '"evidence": ["材料代码"], "advice": "不满足时怎么办"}]}；面向所有企业写 {"all": []}。'
)
AWARD_HELP = _(
    '奖补规则（JSON）。例：{"rules": [{"fixed": "200000"}], "cap_per_year": "500000"}；不涉及资金的事项留空。'
    '还可写："instalments": ["50", "50"]（分期，百分比）、"exclusive_with": ["互斥事项编码"]（就高不重复）、'
    '"shortfall"（预算不足时："first_come" 先到先得，"pro_rata" 按比例，"defer" 顺延）。'
)
