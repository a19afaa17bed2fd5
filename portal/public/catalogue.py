"""The open catalogue (事项库): every published item, as data that anybody may take."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from cms.award_words import award_sentences
from cms.models import PolicyItemPage
from cms.services.listing import type_label
from matching.criteria import criteria_text, parse_criteria
from matching.criteria.award import parse_award
from matching.models import PolicyItem
from matching.services.vocabulary import current_vocabulary

DELIVERY = {"automatic": "免申即享", "instant": "即申即享", "fast": "快申快享", "window": "限时即享"}
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def catalogue(*, request: HttpRequest) -> list[dict[str, Any]]:
    """Every listed item with its rules, details and address, by code. Two queries, however many there are."""
    vocabulary = current_vocabulary()
    pages = {page.code: page for page in PolicyItemPage.objects.live().only("code", "url_path", "path", "locale")}
    found = []
    items = PolicyItem.objects.filter(is_listed=True).select_related("department", "current_version")
    for item in items.order_by("code"):
        version = item.current_version
        if version is None:
            continue
        page = pages.get(item.code)
        award = version.rules.get("award")
        tree = parse_criteria(version.rules["criteria"], vocabulary)
        found.append(
            {
                "code": item.code,
                "name": item.name,
                "department": {"code": item.department.code, "name": item.department.name},
                "type": {
                    "code": version.rules.get("type"),
                    "name": type_label(code=version.rules.get("type") or "", vocabulary=vocabulary),
                },
                "delivery": version.rules.get("delivery"),
                "url": request.build_absolute_uri(page.get_url(request)) if page else None,
                "version": version.number,
                "rule_hash": version.rule_hash,
                "published_at": version.published_at.isoformat(),
                "conditions_text": criteria_text(tree, vocabulary),
                "award_text": award_sentences(parse_award(award, vocabulary) if award else None, vocabulary),
                "rules": version.rules,
                "details": version.details,
            }
        )
    return found


COLUMNS = (
    "事项编码",
    "事项名称",
    "主管部门",
    "事项类型",
    "办理方式",
    "依据文件",
    "依据条款",
    "适用对象",
    "申报条件",
    "支持标准",
    "申报材料",
    "法定时限（工作日）",
    "承诺时限（工作日）",
    "收费",
    "申报起始日",
    "申报截止日",
    "有效期至",
    "公示期（工作日）",
    "咨询电话",
    "办理地点",
    "版本",
    "网址",
)


def catalogue_csv(*, entries: Iterable[dict[str, Any]]) -> str:
    """The catalogue as CSV with a byte order mark, so that spreadsheets read its Chinese."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([_cell(value) for value in _row(entry)])
    return "\ufeff" + buffer.getvalue()


def _row(entry: dict[str, Any]) -> list[Any]:
    rules, details = entry["rules"], entry["details"]
    limits = (rules.get("limits") or {}).get("review") or {}
    window = rules.get("window") or {}
    contact = details.get("contact") or {}
    return [
        entry["code"],
        entry["name"],
        entry["department"]["name"],
        entry["type"]["name"],
        DELIVERY.get(entry["delivery"] or "", ""),
        details.get("document"),
        details.get("clause"),
        details.get("audience"),
        entry["conditions_text"],
        "".join(entry["award_text"]),
        "；".join(material["name"] for material in rules.get("materials") or []),
        limits.get("statutory"),
        limits.get("promised"),
        details.get("fees"),
        window.get("from"),
        window.get("until"),
        details.get("expires_on"),
        rules.get("publicity_days"),
        contact.get("phone"),
        contact.get("address"),
        entry["version"],
        entry["url"],
    ]


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
