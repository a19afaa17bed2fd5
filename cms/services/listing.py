"""The rows of the public list: kept with each publication, filtered and searched for readers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape
from typing import Any
from uuid import uuid4

from django.db.models import Q
from django.utils.html import strip_tags
from wagtail.models import Page

from cms.award_words import award_headline, award_sentences
from cms.fields import read_award, read_criteria
from cms.models.document import PolicyDocumentPage
from cms.models.item import Delivery, PolicyItemPage
from cms.models.reading import ReadingPage
from cms.models.search import Kind, SearchRow
from cms.services import search_writes
from matching.criteria import CodeList, CompiledTree, Facts, Node, Verdict, Vocabulary, leaves, render_criteria
from matching.registry.models import Department
from matching.search.tokenise import index_tokens, version
from matching.services.vocabulary import ITEM_TYPES, current_vocabulary

SIZE, INDUSTRY = "size", "industry"  # the facts of the vocabulary by which the list can be narrowed
PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a reader asked of the list; an empty text asks nothing."""

    query: str = ""
    kind: str = Kind.ITEM
    department: str = ""
    item_type: str = ""
    delivery: str = ""
    size: str = ""
    industry: str = ""
    open_now: bool = False
    fits_me: bool = False

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Narrowing":
        """From query arguments; what is not understood asks nothing."""

        def text(name: str) -> str:
            return str(values.get(name, "")).replace("\x00", "").strip()[:100]

        kind = text("kind")
        return cls(
            query=text("q"),
            kind=kind if kind in Kind.values else Kind.ITEM,
            department=text("department"),
            item_type=text("type"),
            delivery=text("delivery"),
            size=text("size"),
            industry=text("industry"),
            open_now=bool(text("open")),
            fits_me=bool(text("fits")),
        )

    @property
    def narrows(self) -> bool:
        return bool(self.query) or self.filters_set

    @property
    def filters_set(self) -> bool:
        """Whether more was asked than words: the filters are then shown unfolded."""
        return bool(
            self.department
            or self.item_type
            or self.delivery
            or self.size
            or self.industry
            or self.open_now
            or self.fits_me
        )


def refresh_row(*, page: Page, now: datetime) -> SearchRow | None:
    """Bring the row of a live page up to date; drop that of a page that is not live. `now` is aware."""
    page = page.specific
    if not page.live or page.alias_of_id:
        remove_row(page_id=page.pk)
        return None
    values: dict[str, Any]
    if isinstance(page, PolicyItemPage):
        values = _item_values(page)
    elif isinstance(page, PolicyDocumentPage):
        values = _document_values(page)
    elif isinstance(page, ReadingPage):
        values = _reading_values(page)
    else:
        return None
    values["published_at"] = page.first_published_at or now
    values["texts"] = {"title": page.title, **values["texts"]}
    values["words"] = words_of(texts=values["texts"])
    values["words_version"], values["stamp"] = version(), uuid4().hex
    row, _created = SearchRow.objects.update_or_create(page_id=page.pk, defaults={"title": page.title, **values})
    search_writes.note(page_id=page.pk)
    return row


def words_of(*, texts: Mapping[str, str]) -> dict[str, str]:
    """The tokens of each text, separated by spaces."""
    return {name: " ".join(index_tokens(text)) for name, text in texts.items()}


def remove_row(*, page_id: int) -> None:
    """Take a page off the list."""
    SearchRow.objects.filter(page_id=page_id).delete()
    search_writes.note(page_id=page_id)


def _item_values(page: PolicyItemPage) -> dict[str, Any]:
    vocabulary = current_vocabulary()
    tree = read_criteria(page.criteria)
    award = read_award(page.award) if page.award else None
    document = page.document_page
    head = [page.summary, page.audience, *(str(block.value) for block in page.sub_items)]
    clauses = [
        *(line.text for line in render_criteria(tree, vocabulary)),
        *(leaf.text for leaf in leaves(tree) if leaf.text),
        *(award_sentences(award, vocabulary) if award else ()),
    ]
    body = [
        page.department.name,
        page.department.short_name,
        Delivery(page.delivery).label,
        type_label(code=page.item_type, vocabulary=vocabulary),
        page.code,
        document.title if document else "",
        document.number if document else "",
        *(str(block.value["name"]) for block in page.materials),
    ]
    return {
        "kind": Kind.ITEM,
        "code": page.code,
        "summary": page.summary or page.audience,
        "department": page.department,
        "item_type": page.item_type,
        "delivery": page.delivery,
        "window_from": page.window_from,
        "window_until": page.window_until,
        "expires_on": page.expires_on,
        "award_words": award_headline(award)[:300],
        "sizes": possible_codes(tree=tree, fact=SIZE, vocabulary=vocabulary),
        "industries": possible_codes(tree=tree, fact=INDUSTRY, vocabulary=vocabulary),
        "texts": {"head": _joined(head), "clauses": _joined(clauses), "body": _joined(body)},
    }


def _joined(parts: list[Any]) -> str:
    return "　".join(text for part in parts if (text := str(part).strip()))


def _document_values(page: PolicyDocumentPage) -> dict[str, Any]:
    body = [page.number or "", page.issuer, *(plain_text(str(block.value)) for block in page.body)]
    return {
        "kind": Kind.DOCUMENT,
        "code": page.number or "",
        "summary": page.summary,
        "expires_on": page.expires_on,
        "texts": {"head": page.summary, "body": _joined(body)},
    }


def _reading_values(page: ReadingPage) -> dict[str, Any]:
    about = page.item_page or page.document_page
    body = []
    for block in page.body:
        if block.block_type == "question":
            body += [block.value["question"], block.value["answer"]]
        elif block.block_type == "picture":
            body.append(block.value["description"])
        else:
            body.append(plain_text(str(block.value)))
    item = page.item_page
    return {
        "kind": Kind.READING,
        "code": "",
        "summary": page.summary,
        "department": item.department if item else None,
        "texts": {"head": _joined([page.summary, about.title if about else ""]), "body": _joined(body)},
    }


def plain_text(html: str) -> str:
    """Rich text without its marks."""
    return unescape(strip_tags(html.replace("</p>", " ").replace("<br", " <br")))


def possible_codes(*, tree: Node, fact: str, vocabulary: Vocabulary) -> str:
    """The codes with which an enterprise is not already out, between commas; a parent stands for its descendants too.

    Knowing only this one fact: what the criteria then call ineligible can never qualify.
    """
    if fact not in vocabulary.facts:
        return ""
    codes = vocabulary.code_list(fact)
    compiled = CompiledTree(tree)
    # Windows of dates do not matter for a single code; any day serves.
    day = date(2000, 1, 1)
    fitting: set[str] = set()
    for code in _undivided(codes):
        if compiled.evaluate(Facts({fact: code}), day).verdict is not Verdict.INELIGIBLE:
            fitting.update(codes.ancestors(code))
    return f",{','.join(code for code in codes.codes if code in fitting)}," if fitting else ","


def _undivided(codes: CodeList) -> list[str]:
    return [code for code in codes.codes if len(codes.descendants(code)) == 1]


def type_label(*, code: str, vocabulary: Vocabulary) -> str:
    """The Chinese name of an item's type."""
    types = vocabulary.code_lists.get(ITEM_TYPES)
    return types.label(code) if types else code


def open_on(*, day: date) -> Q:
    """Rows whose window is open and which have not expired on a day (Asia/Shanghai)."""
    return (
        (Q(window_from__isnull=True) | Q(window_from__lte=day))
        & (Q(window_until__isnull=True) | Q(window_until__gte=day))
        & (Q(expires_on__isnull=True) | Q(expires_on__gte=day))
    )


def choices(*, vocabulary: Vocabulary) -> dict[str, list[tuple[str, str]]]:
    """What each filter of the list offers, as (code, label)."""
    used = set(SearchRow.objects.filter(kind=Kind.ITEM).values_list("item_type", flat=True).distinct())
    return {
        "department": [
            (code, short or name)
            for code, short, name in Department.objects.filter(
                pk__in=SearchRow.objects.filter(kind=Kind.ITEM).values("department")
            ).values_list("code", "short_name", "name")
        ],
        "type": _type_choices(vocabulary.code_lists.get(ITEM_TYPES), used),
        "delivery": [(value, str(label)) for value, label in Delivery.choices],
        "size": _leaf_choices(vocabulary, SIZE),
        "industry": _top_choices(vocabulary, INDUSTRY),
    }


def _type_choices(types: CodeList | None, used: set[str]) -> list[tuple[str, str]]:
    """The types in use and what they belong to, a member indented below its class."""
    if types is None:
        return []
    wanted = {ancestor for code in used if code in types for ancestor in types.ancestors(code)}
    return [
        (code, ("　" if len(types.ancestors(code)) > 1 else "") + label)
        for code, label in types.codes.items()
        if code in wanted
    ]


def _leaf_choices(vocabulary: Vocabulary, fact: str) -> list[tuple[str, str]]:
    if fact not in vocabulary.facts:
        return []
    codes = vocabulary.code_list(fact)
    return [(code, codes.label(code)) for code in _undivided(codes)]


def _top_choices(vocabulary: Vocabulary, fact: str) -> list[tuple[str, str]]:
    if fact not in vocabulary.facts:
        return []
    codes = vocabulary.code_list(fact)
    return [(code, label) for code, label in codes.codes.items() if len(codes.ancestors(code)) == 1]
