"""The vocabulary in force: which revision it is, and how an officer changes it without a deploy.

A revision is content-addressed and never changed; changing the vocabulary makes another one and moves the mark
"current". A change after which the criteria of a published item could no longer be read is refused, with the items.
"""

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from matching.criteria import InvalidInput, Problem, Vocabulary, parse_criteria, parse_vocabulary
from matching.criteria.award import parse_award
from matching.forms import parse_form
from matching.models import PolicyItem
from matching.registry.models import VocabularyRevision
from matching.vocabulary import load_default, load_default_data

ITEM_TYPES = "item_type"  # the code list of the kinds of policy items, under which earlier awards are recorded


@dataclass(frozen=True, slots=True)
class Use:
    """A published item that needs something of the vocabulary, and the places where it does."""

    item_code: str
    item_name: str
    problems: tuple[Problem, ...]


class StillUsed(ValueError):
    """A change of the vocabulary would leave published items unreadable; ``uses`` says which and where."""

    def __init__(self, uses: list[Use]) -> None:
        self.uses = uses
        names = "、".join(f"{use.item_name}（{use.item_code}）" for use in uses)
        super().__init__(
            _("以下已发布事项仍在使用，不能改：%(names)s。请先修改并重新发布这些事项。") % {"names": names}
        )


@lru_cache(maxsize=32)
def _parsed(digest: str) -> Vocabulary:
    return parse_vocabulary(VocabularyRevision.objects.get(digest=digest).content)


def current_vocabulary() -> Vocabulary:
    """The vocabulary in force, parsed once for each digest and process; the default one where none was stored yet."""
    digest = VocabularyRevision.objects.filter(is_current=True).values_list("digest", flat=True).first()
    return _parsed(digest) if digest else load_default()


def vocabulary_at(*, digest: str) -> Vocabulary:
    """The vocabulary of one revision. Raises VocabularyRevision.DoesNotExist where there is none."""
    return _parsed(digest)


def ensure_default(*, now: datetime) -> VocabularyRevision:
    """The revision in force; the default vocabulary becomes it where there is none. `now` is aware."""
    revision = VocabularyRevision.objects.filter(is_current=True).first()
    return revision or activate(data=load_default_data(), note=_("系统默认词表"), now=now)


@transaction.atomic
def activate(*, data: dict[str, Any], note: str, now: datetime) -> VocabularyRevision:
    """Put a vocabulary in force. The same content again is the same revision.

    Raises InvalidInput where the data are not a vocabulary, StillUsed where a published item could not be read by it.
    """
    vocabulary = parse_vocabulary(data)
    previous = VocabularyRevision.objects.select_for_update().filter(is_current=True).first()
    if previous is not None and previous.digest == vocabulary.digest:
        return previous
    if uses := broken_uses(vocabulary=vocabulary):
        raise StillUsed(uses)
    if previous is not None:
        previous.is_current = False
        previous.save(update_fields=["is_current"])
    revision, created = VocabularyRevision.objects.get_or_create(
        digest=vocabulary.digest,
        defaults={"content": data, "created_at": now, "note": note[:200], "is_current": True},
    )
    if not created:
        revision.is_current = True
        revision.save(update_fields=["is_current"])
    return revision


def broken_uses(*, vocabulary: Vocabulary) -> list[Use]:
    """The published items whose criteria, award or type this vocabulary could not read."""
    types = vocabulary.code_lists.get(ITEM_TYPES)
    found = []
    items = PolicyItem.objects.filter(is_listed=True, current_version__isnull=False).select_related("current_version")
    for item in items:
        assert item.current_version is not None
        rules = item.current_version.rules
        problems = rule_problems(rules=rules, vocabulary=vocabulary)
        if rules.get("type") and (types is None or rules["type"] not in types):
            problems.append(Problem("type", _("事项类型 %(code)s 不在代码表中") % {"code": rules["type"]}))
        if problems:
            found.append(Use(item.code, item.name, tuple(problems)))
    return found


def rule_problems(*, rules: dict[str, Any], vocabulary: Vocabulary) -> list[Problem]:
    """What this vocabulary finds wrong with the criteria, the award and the form of a version's rules."""
    problems: list[Problem] = []
    try:
        parse_criteria(rules.get("criteria"), vocabulary)
    except InvalidInput as error:
        problems.extend(error.problems)
    if rules.get("award") is not None:
        try:
            parse_award(rules["award"], vocabulary)
        except InvalidInput as error:
            problems.extend(error.problems)
    if rules.get("form"):
        try:
            parse_form(rules["form"], vocabulary, materials=[m.get("code") for m in rules.get("materials") or ()])
        except InvalidInput as error:
            problems.extend(error.problems)
    return problems


def _refuse(path: str, message: str) -> InvalidInput:
    return InvalidInput([Problem(path, message)])


@transaction.atomic
def save_fact(*, definition: dict[str, Any], now: datetime) -> VocabularyRevision:
    """Add a fact, or change the one of the same key. `definition` is a fact of a vocabulary file."""
    data = _locked_data()
    key = definition.get("key")
    for index, fact in enumerate(data["facts"]):
        if fact["key"] == key:
            data["facts"][index] = definition
            return activate(data=data, note=_("修改事实 %(key)s") % {"key": key}, now=now)
    data["facts"].append(definition)
    return activate(data=data, note=_("新增事实 %(key)s") % {"key": key}, now=now)


@transaction.atomic
def remove_fact(*, key: str, now: datetime) -> VocabularyRevision:
    """Take a fact out. Raises StillUsed while a published item uses it."""
    data = _locked_data()
    kept = [fact for fact in data["facts"] if fact["key"] != key]
    if len(kept) == len(data["facts"]):
        raise _refuse("facts", _("没有事实 %(key)s") % {"key": key})
    data["facts"] = kept
    return activate(data=data, note=_("删除事实 %(key)s") % {"key": key}, now=now)


@transaction.atomic
def add_code_list(*, name: str, hierarchy: str, code: str, label: str, now: datetime) -> VocabularyRevision:
    """Add a code list with its first code. `hierarchy` is none, prefix or parents."""
    data = _locked_data()
    lists = data.setdefault("code_lists", {})
    if name in lists:
        raise _refuse(f"code_lists.{name}", _("代码表 %(name)s 已存在") % {"name": name})
    lists[name] = {"hierarchy": hierarchy, "codes": {code: label}}
    if hierarchy == "parents":
        lists[name]["parents"] = {}
    return activate(data=data, note=_("新增代码表 %(name)s") % {"name": name}, now=now)


@transaction.atomic
def remove_code_list(*, name: str, now: datetime) -> VocabularyRevision:
    """Take a code list out; refused while a fact uses it."""
    data = _locked_data()
    _code_list(data, name)
    del data["code_lists"][name]
    return activate(data=data, note=_("删除代码表 %(name)s") % {"name": name}, now=now)


@transaction.atomic
def save_code(*, list_name: str, code: str, label: str, parent: str | None = None, now: datetime) -> VocabularyRevision:
    """Add a code to a list, or change its label and, where the list has parents, its parent."""
    data = _locked_data()
    body = _code_list(data, list_name)
    known = code in body["codes"]
    body["codes"][code] = label
    if body.get("hierarchy") == "parents":
        body.setdefault("parents", {}).pop(code, None)
        if parent:
            body["parents"][code] = parent
    elif parent:
        raise _refuse(f"code_lists.{list_name}", _("这个代码表没有上下级，不能指定上级"))
    note = _("修改代码 %(list)s.%(code)s") if known else _("新增代码 %(list)s.%(code)s")
    return activate(data=data, note=note % {"list": list_name, "code": code}, now=now)


@transaction.atomic
def remove_code(*, list_name: str, code: str, now: datetime) -> VocabularyRevision:
    """Take a code out of a list. Raises StillUsed while a published item names it."""
    data = _locked_data()
    body = _code_list(data, list_name)
    if code not in body["codes"]:
        raise _refuse(f"code_lists.{list_name}", _("没有代码 %(code)s") % {"code": code})
    del body["codes"][code]
    body.get("parents", {}).pop(code, None)
    return activate(data=data, note=_("删除代码 %(list)s.%(code)s") % {"list": list_name, "code": code}, now=now)


def _locked_data() -> dict[str, Any]:
    revision = VocabularyRevision.objects.select_for_update().filter(is_current=True).first()
    return deepcopy(revision.content) if revision else load_default_data()


def _code_list(data: dict[str, Any], name: str) -> dict[str, Any]:
    body: dict[str, Any] | None = data.get("code_lists", {}).get(name)
    if body is None:
        raise _refuse("code_lists", _("没有代码表 %(name)s") % {"name": name})
    return body
