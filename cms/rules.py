"""What an item page says, as the rules and details of a version; and what stands against publishing it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from wagtail.fields import StreamField

from cms import limits
from cms.blocks import plain_values
from cms.delivery import problems_of_terms, terms_of_page
from cms.fields import read_award, read_criteria
from cms.form_blocks import form_fields
from cms.kinds import problems_of_kinds
from matching import review_path
from matching.criteria import InvalidInput, leaves, load_json
from matching.forms import parse_form
from matching.registry.models import BudgetLine, Department
from matching.services.vocabulary import ITEM_TYPES, current_vocabulary

MATERIAL_RULES = ("code", "name", "source", "required", "original", "copies", "tolerable", "promise")
CONTACT = ("phone", "office", "address", "hours")


class NotPublishable(PermissionDenied):
    """An item whose rules cannot be read cannot be published; `problems` maps fields to what is wrong."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        self.problems = problems
        super().__init__("；".join(message for messages in problems.values() for message in messages))


def unpublishable(page: Any) -> None:
    """Raises NotPublishable unless the page could be published as it stands."""
    problems = problems_of(page)
    if not page.criteria:
        problems.setdefault("criteria", []).append(_('申报条件还没有写；面向所有企业写 {"all": []}'))
    if not page.department_id:
        problems.setdefault("department", []).append(_("请选择主管部门"))
    if not page.item_type:
        problems.setdefault("item_type", []).append(_("请选择事项类型"))
    if problems:
        raise NotPublishable(problems)


def problems_of(page: Any) -> dict[str, list[str]]:
    """Every mistake in what the page says so far, by field. What is still empty is no mistake yet."""
    problems: dict[str, list[str]] = {}

    def add(field: str, message: str) -> None:
        problems.setdefault(field, []).append(message)

    materials = plain_values(page.materials)
    codes = [material["code"] for material in materials]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        add("materials", _("材料代码 %(code)s 重复；一个事项里每个代码只用一次") % {"code": code})
    for message in problems_of_kinds(code=page.code, materials=materials):
        add("materials", message)
    steps = plain_values(page.steps)
    if any(step.get("kind") for step in steps):
        known = set(Department.objects.values_list("code", flat=True))
        own = page.department.code if page.department_id else ""
        problems["steps"] = review_path.problems(steps, own=own, departments=known)
        if not problems["steps"]:
            del problems["steps"]
    if page.delivery_terms and (told := problems_of_terms(page)):
        problems["delivery_terms"] = told
    if page.criteria:
        try:
            _check_evidence(read_criteria(page.criteria), set(codes), add)
        except InvalidInput as error:
            problems["criteria"] = numbered(error)
    try:
        parse_form(form_fields(page.form_fields), current_vocabulary(), materials=codes)
    except InvalidInput as error:
        problems["form_fields"] = numbered(error)
    if page.award:
        try:
            award = read_award(page.award)
            if page.code in award.exclusive_with:
                add("award", _("award.exclusive_with: 不能与本事项自己互斥"))
        except InvalidInput as error:
            problems["award"] = numbered(error)
        if not page.budget_line:
            add("budget_line", _("涉及资金的事项要有预算科目"))
    if page.budget_line and not BudgetLine.objects.filter(code=page.budget_line).exists():
        add("budget_line", _("没有预算科目 %(code)s；请先在预算管理中建立") % {"code": page.budget_line})
    types = current_vocabulary().code_lists.get(ITEM_TYPES)
    if page.item_type and (types is None or page.item_type not in types):
        add("item_type", _("没有事项类型 %(code)s；可用的见词表 item_type") % {"code": page.item_type})
    if page.window_from and page.window_until and page.window_until < page.window_from:
        add("window_until", _("申报截止日不能早于起始日 %(day)s") % {"day": page.window_from})
    if page.delivery == "window" and not page.window_until:
        add("window_until", _("“限时即享”要有申报截止日"))
    for field, message in limits.problems_of(page):
        add(field, message)
    return problems


def told_together(page: Any, field: str, messages: list[str]) -> list[str]:
    """The mistakes of a field as it is able to show them: of a stream the editor shows the first message alone."""
    if len(messages) == 1 or not isinstance(page._meta.get_field(field), StreamField):
        return messages
    if messages[0].startswith("（1）"):  # `numbered` did so
        return ["".join(messages)]
    return ["".join(f"（{number}）{text}" for number, text in enumerate(messages, start=1))]


def numbered(error: InvalidInput) -> list[str]:
    """Every mistake with its place; numbered where there are several, because the editor runs them together."""
    told = [str(problem) for problem in error.problems]
    return told if len(told) == 1 else [f"（{number}）{text}" for number, text in enumerate(told, start=1)]


def _check_evidence(tree: Any, codes: set[str], add: Any) -> None:
    for leaf in leaves(tree):
        for code in leaf.evidence:
            if code not in codes:
                message = _("criteria.%(path)s.evidence: 材料 %(code)s 不在申报材料里")
                add("criteria", message % {"path": leaf.path, "code": code})


def item_rules(page: Any) -> dict[str, Any]:
    """The rules of a version. Raises InvalidInput where criteria or award are not JSON."""
    award = load_json(page.award, "award") if page.award else None
    form = form_fields(page.form_fields)
    path = review_path.write(plain_values(page.steps))
    terms = terms_of_page(page)
    return {
        "criteria": load_json(page.criteria, "criteria"),
        "award": award,
        "window": {"from": _iso(page.window_from), "until": _iso(page.window_until)},
        "materials": [{key: material[key] for key in MATERIAL_RULES} for material in plain_values(page.materials)],
        "limits": limits.rules_of(page),
        "exclusive_with": list((award or {}).get("exclusive_with", [])),
        "delivery": page.delivery,
        "budget_line": page.budget_line or None,
        "ceiling": None if page.ceiling is None else f"{page.ceiling:.2f}",
        "publicity_days": page.publicity_days,
        "type": page.item_type,
        **({"form": form} if form else {}),
        # Only where the item asks for more than acceptance, first and second review: other versions stay as they are.
        **({"review": path} if path else {}),
        **({"delivery_terms": terms} if terms else {}),
    }


def item_details(page: Any) -> dict[str, Any]:
    """The rest of the item, for the record."""
    return {
        "name": page.title,
        "department": page.department.code,
        "audience": page.audience,
        "summary": page.summary,
        "sub_items": [str(block.value) for block in page.sub_items],
        "document": page.document_page.number if page.document_page else None,
        "clause": page.clause,
        "material_notes": {m["code"]: m["note"] for m in plain_values(page.materials) if m["note"]},
        "steps": plain_values(page.steps),
        "fees": page.fees,
        "contact": {key: getattr(page, f"contact_{key}") for key in CONTACT},
        "expires_on": _iso(page.expires_on),
        "fair_competition": {
            "reviewed_on": _iso(page.fair_reviewed_on),
            "reviewer": page.fair_reviewer,
            "conclusion": page.fair_conclusion,
        },
        "assessment": page.assessment,
    }


def _iso(day: Any) -> str | None:
    return day.isoformat() if day else None
