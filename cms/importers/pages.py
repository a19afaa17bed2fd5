"""Writes the sound lines of a policy file: departments, budget lines and pages, each only where something changed."""

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from wagtail.models import Page

from cms.delivery import blocks_of
from cms.form_blocks import form_blocks, form_fields
from cms.importers.lines import Line
from cms.limits import PLACES, fields_of
from cms.models import PolicyDocumentPage, PolicyIndexPage, PolicyItemPage, ReadingPage
from cms.services.publishing import published_at
from matching.criteria import load_json
from matching.registry.models import BudgetLine, Department

# What an editor leaves empty in a step, as its block keeps it.
_STEP = {
    "kind": "",
    "by": "",
    "days": None,
    "departments": "",
    "silence_consents": False,
    "checklist": "",
    "note": "",
}
# Characters of a text answer where a file says nothing.
LONGEST = 500
# Fields of a page and the keys of a line that fill them, for telling where a mistake is.
KEY_OF_FIELD = {
    "title": "name",
    "item_type": "type",
    "document_page": "document",
    **PLACES,
    "window_from": "window.from",
    "window_until": "window.until",
    "slug": "code",
    "item_page": "item",
}


class Refused(ValueError):
    """A line that cannot be written; ``problems`` are (path, message)."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        self.problems = problems
        super().__init__("；".join(message for _, message in problems))


class Writer:
    """Writes lines one by one, inside the caller's transaction. `written` counts what changed, by kind."""

    def __init__(self, *, library: PolicyIndexPage, publish: bool, now: datetime) -> None:
        self.library = library
        self.publish = publish
        self.now = now
        self.written: dict[str, int] = {}
        self.unchanged = 0

    def write(self, line: Line) -> None:
        """Raises Refused where the line cannot be written; the caller then rolls it back."""
        with published_at(moment=self.now):
            getattr(self, f"write_{line.kind}")(line.values)

    def count(self, kind: str, changed: bool) -> None:
        if changed:
            self.written[kind] = self.written.get(kind, 0) + 1
        else:
            self.unchanged += 1

    def write_department(self, values: dict[str, Any]) -> None:
        department = Department.objects.filter(code=values["code"]).first() or Department(code=values["code"])
        changed = department.pk is None or any(getattr(department, key) != value for key, value in values.items())
        if changed:
            for key, value in values.items():
                setattr(department, key, value)
            department.save()
        self.count("department", changed)

    def write_budget_line(self, values: dict[str, Any]) -> None:
        department = self._department(values["department"])
        line = BudgetLine.objects.filter(code=values["code"], year=values["year"]).first()
        if line is not None:
            if line.ceiling != values["ceiling"]:
                told = f"{values['year']} 年已有此科目，额度为 {line.ceiling}；调整额度请在预算管理中办理"
                raise Refused(("ceiling", told))
            wanted = {"name": values["name"], "department": department, "source": values.get("source", line.source)}
            changed = any(getattr(line, key) != value for key, value in wanted.items())
            if changed:
                BudgetLine.objects.filter(pk=line.pk).update(**wanted)
            self.count("budget_line", changed)
            return
        BudgetLine.objects.create(**{**values, "department": department})
        self.count("budget_line", True)

    def write_document(self, values: dict[str, Any]) -> None:
        number = values["number"]
        page = PolicyDocumentPage.objects.filter(number=number).first()
        body = [
            ("heading", part.removeprefix("# ").strip()) if part.startswith("# ") else ("paragraph", part)
            for part in values.get("body", [])
        ]
        wanted = {
            "title": values["name"],
            "number": number,
            "issuer": values["issuer"],
            "issued_on": values["issued_on"],
            "effective_on": values.get("effective_on"),
            "expires_on": values.get("expires_on"),
            "summary": values.get("summary", ""),
            "body": body,
        }
        slug = f"wj-{hashlib.sha256(number.encode()).hexdigest()[:10]}"
        self._save("document", page or PolicyDocumentPage(slug=slug), wanted)

    def write_item(self, values: dict[str, Any]) -> None:
        page = PolicyItemPage.objects.filter(code=values["code"]).first() or PolicyItemPage(slug=values["code"])
        window = values.get("window", {})
        contact, fair = values.get("contact", {}), values.get("fair_competition", {})
        wanted: dict[str, Any] = {
            "title": values["name"],
            "code": values["code"],
            "department": self._department(values["department"]),
            "item_type": values["type"],
            "document_page": self._document(values.get("document")),
            "clause": values.get("clause", ""),
            "audience": values.get("audience", ""),
            "summary": values.get("summary", ""),
            "sub_items": [("sub_item", name) for name in values.get("sub_items", [])],
            "criteria": rule_text(values["criteria"]),
            "award": "" if values.get("award") is None else rule_text(values["award"]),
            "form_fields": form_blocks(values.get("form", [])),
            "materials": [("material", material(value, page)) for value in values.get("materials", [])],
            "steps": [
                ("step", {**_STEP, **{key: told for key, told in step.items() if told is not None}})
                for step in values.get("steps", [])
            ],
            "fees": values.get("fees", "不收费"),
            **fields_of(values.get("limits", {})),
            "delivery": values.get("delivery", "fast"),
            "delivery_terms": blocks_of(values.get("delivery", "fast"), values.get("delivery_terms")),
            "window_from": window.get("from"),
            "window_until": window.get("until"),
            "expires_on": values.get("expires_on"),
            "budget_line": values.get("budget_line", ""),
            "ceiling": values.get("ceiling"),
            "publicity_days": values.get("publicity_days", 5),
            **{f"contact_{key}": contact.get(key, "") for key in ("phone", "office", "address", "hours")},
            "fair_reviewed_on": fair.get("reviewed_on"),
            "fair_reviewer": fair.get("reviewer", ""),
            "fair_conclusion": fair.get("conclusion", ""),
            "assessment": values.get("assessment", ""),
        }
        self._save("item", page, wanted)
        for reading in values.get("readings", []):
            self.write_reading({**reading, "item": values["code"]})

    def write_reading(self, values: dict[str, Any]) -> None:
        siblings = Page.objects.child_of(self.library).filter(slug=values["id"]).first()
        page = siblings.specific if siblings else ReadingPage(slug=values["id"])
        if not isinstance(page, ReadingPage):
            raise Refused(("id", f"{values['id']} 已是另一个页面的地址，请换一个"))
        item = document = None
        if "item" in values:
            item = PolicyItemPage.objects.filter(code=values["item"]).first()
            if item is None:
                raise Refused(("item", f"没有事项 {values['item']}；它须在本文件中，或已经导入"))
        else:
            document = self._document(values["document"])
        wanted = {
            "title": values["title"],
            "summary": values.get("summary", ""),
            "item_page": item,
            "document_page": document,
            "body": values["body"],
        }
        self._save("reading", page, wanted)

    def _department(self, code: str) -> Department:
        department = Department.objects.filter(code=code).first()
        if department is None:
            raise Refused(("department", f"没有部门 {code}；它须在本文件中，或已经建立"))
        return department

    def _document(self, number: str | None) -> PolicyDocumentPage | None:
        if number is None:
            return None
        page: PolicyDocumentPage | None = PolicyDocumentPage.objects.filter(number=number).first()
        if page is None:
            raise Refused(("document", f"没有文件 {number}；它须在本文件中，或已经导入"))
        return page

    def _save(self, kind: str, page: Any, wanted: dict[str, Any]) -> None:
        """Create or revise a page; nothing where it already says all this."""
        is_new = page.pk is None
        draft = page if is_new else page.get_latest_revision_as_object()
        changed = is_new
        for name, value in wanted.items():
            if is_new or not same(draft, name, value):
                setattr(draft, name, value)
                changed = True
        try:
            if is_new:
                draft.live = False
                draft.clean()  # Wagtail checks a draft only when its revision is saved, after its row was written
                self.library.add_child(instance=draft)
            if changed:
                revision = draft.save_revision(changed=not is_new)
            else:
                revision = draft.latest_revision or draft.save_revision(changed=False)
            if self.publish and (changed or not page.live or page.has_unpublished_changes):
                revision.publish()
                changed = True
        except ValidationError as error:
            raise Refused(*told(error)) from error
        self.count(kind, changed)


def rule_text(value: Any) -> str:
    """Criteria or award as an officer reads and edits them."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def material(values: dict[str, Any], page: PolicyItemPage) -> dict[str, Any]:
    """A material block; the form and the sample that officers attached to it stay."""
    kept: dict[str, Any] = {"template": None, "sample": None}
    for block in page.materials:
        if block.value["code"] == values["code"]:
            kept = {"template": block.value["template"], "sample": block.value["sample"]}
    return {
        "source": "applicant",
        "required": True,
        "original": "electronic",
        "copies": 1,
        "tolerable": True,
        "promise": "",
        "note": "",
        **values,
        **kept,
    }


def same(page: Any, name: str, value: Any) -> bool:
    """Whether a page already says this; formatting of rules and ids of blocks do not count."""
    try:
        present = getattr(page, name)
    except ObjectDoesNotExist:  # a draft that has no department yet
        return False
    if name in ("criteria", "award"):
        return bool(present) == bool(value) and (not value or load_json(present) == load_json(value))
    if name == "form_fields":
        # Blocks keep what a file leaves out as empty or as it is by default: compared is what the form asks.
        return _asked(form_blocks(form_fields(present))) == _asked(value)
    if isinstance(value, list):
        return [(block.block_type, _plain(block.value)) for block in present] == [
            (kind, _plain(block)) for kind, block in value
        ]
    if isinstance(value, Decimal) or isinstance(present, Decimal):
        return present is not None and value is not None and Decimal(present) == Decimal(value)
    return bool(present == value)


def _asked(blocks: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    def says(key: str, value: Any) -> bool:
        return (key, value) != ("longest", LONGEST)

    return [(kind, {key: value for key, value in block.items() if says(key, value)}) for kind, block in blocks]


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value


def told(error: ValidationError) -> list[tuple[str, str]]:
    """What a page refuses, as (path in the line, message)."""
    if not hasattr(error, "error_dict"):
        return [("", message) for message in error.messages]
    found: list[tuple[str, str]] = []
    for name, errors in error.message_dict.items():
        path = "" if name == "__all__" else KEY_OF_FIELD.get(name, name)
        found.extend((path, message) for message in errors)
    return found
