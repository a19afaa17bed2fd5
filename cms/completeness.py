"""Whether an item says all that an item must say (三级十同), so that it reads the same everywhere."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

# (name of the element, whether the page says it); the order is that in which people read an item.
_ELEMENTS: list[tuple[str, Callable[[Any], bool]]] = [
    ("事项名称", lambda page: bool(page.title)),
    ("事项编码", lambda page: bool(page.code)),
    ("事项类型", lambda page: bool(page.item_type)),
    ("主管部门", lambda page: bool(page.department_id)),
    ("依据文件", lambda page: bool(page.document_page_id)),
    ("依据条款", lambda page: bool(page.clause)),
    ("适用对象", lambda page: bool(page.audience)),
    ("摘要", lambda page: bool(page.summary)),
    ("申报条件", lambda page: bool(page.criteria)),
    ("申报材料", lambda page: bool(page.materials) or page.delivery == "automatic"),
    ("办理流程", lambda page: bool(page.steps)),
    ("收费", lambda page: bool(page.fees)),
    ("法定时限", lambda page: page.statutory_days is not None),
    ("承诺时限", lambda page: page.promised_days is not None),
    ("办理方式", lambda page: bool(page.delivery)),
    ("预算科目", lambda page: bool(page.budget_line) or not page.award),
    ("咨询电话", lambda page: bool(page.contact_phone)),
    ("办理地点", lambda page: bool(page.contact_address)),
    ("有效期", lambda page: page.expires_on is not None),
    ("公平竞争审查记录", lambda page: page.fair_reviewed_on is not None and bool(page.fair_conclusion)),
    ("事前评估", lambda page: bool(page.assessment)),
]


def missing_elements(page: Any) -> list[str]:
    """The Chinese names of the elements that the page leaves out, in reading order."""
    return [_(name) for name, said in _ELEMENTS if not said(page)]


def completeness(page: Any) -> tuple[int, int]:
    """(elements that are there, elements in all)."""
    return len(_ELEMENTS) - len(missing_elements(page)), len(_ELEMENTS)
