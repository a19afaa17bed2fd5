"""Policy pages for tests, made as editors make them."""

from datetime import date, datetime
from itertools import count
from typing import Any

from cms.importers.pages import rule_text
from cms.models import PolicyDocumentPage, PolicyIndexPage, PolicyItemPage, ReadingPage
from cms.services.publishing import published_at
from cms.services.setup import setup_cms
from matching.registry.models import BudgetLine, Department
from matching.services.vocabulary import ensure_default
from tests.factories.matching import NOW, department

HERE: dict[str, Any] = {"all": [{"fact": "registered_region", "in": ["510105"], "text": "在青羊区注册"}]}
_numbers = count(1)


def library() -> PolicyIndexPage:
    """The list page under which everything is made; the vocabulary is the default one."""
    ensure_default(now=NOW)
    return setup_cms(district="青羊区")


def budget_line(code: str = "kj", year: int = 2026) -> BudgetLine:
    return BudgetLine.objects.get_or_create(
        code=code, year=year, defaults={"name": "科技专项", "department": department(), "ceiling": "1000000"}
    )[0]


def item_page(*, criteria: Any = HERE, award: Any = None, owner: Department | None = None, **fields: Any) -> Any:
    """A draft of an item, saved with its first revision."""
    number = next(_numbers)
    code = fields.pop("code", f"item-{number}")
    if award is not None:
        fields.setdefault("budget_line", budget_line().code)
    page = PolicyItemPage(
        **{
            "title": f"事项{number}",
            "slug": code,
            "code": code,
            "department": owner or department(),
            "item_type": "recognition",
            "criteria": criteria if isinstance(criteria, str) else rule_text(criteria),
            "award": "" if award is None else rule_text(award),
            "live": False,
            **fields,
        }
    )
    page.clean()
    library().add_child(instance=page)
    page.save_revision()
    return page


def published_item(*, now: datetime = NOW, **fields: Any) -> Any:
    """An item whose page is live."""
    return publish(item_page(**fields), now=now)


def publish(page: Any, *, now: datetime = NOW, **changes: Any) -> Any:
    """Change fields of a page and publish it, as of `now`."""
    draft = page.get_latest_revision_as_object()
    for name, value in changes.items():
        setattr(draft, name, value)
    with published_at(moment=now):
        draft.save_revision().publish()
    return type(page).objects.get(pk=page.pk)


def document_page(**fields: Any) -> PolicyDocumentPage:
    number = next(_numbers)
    page = PolicyDocumentPage(
        **{
            "title": f"若干措施{number}",
            "slug": f"wj-{number}",
            "number": f"青府发〔2026〕{number}号",
            "issuer": "青羊区人民政府",
            "issued_on": date(2026, 1, 5),
            "live": False,
            **fields,
        }
    )
    page.clean()
    library().add_child(instance=page)
    return publish(page)


def reading_page(about: Any, **fields: Any) -> ReadingPage:
    number = next(_numbers)
    key = "item_page" if isinstance(about, PolicyItemPage) else "document_page"
    body = [("paragraph", "大白话"), ("question", {"question": "问", "answer": "答"})]
    page = ReadingPage(
        **{"title": f"解读{number}", "slug": f"jd-{number}", key: about, "body": body, "live": False, **fields}
    )
    page.clean()
    library().add_child(instance=page)
    return publish(page)
