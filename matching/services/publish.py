"""A published policy item becomes an immutable, numbered version; a change of words alone becomes none."""

import hashlib
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from matching.criteria import InvalidInput, canonical_json, leaves, parse_criteria
from matching.models import PolicyItem, PolicyVersion
from matching.registry import outbox
from matching.registry.models import Department
from matching.services.vocabulary import current_vocabulary, ensure_default, rule_problems

WORDS = ("text", "advice")
# Under this key the words of an item hold the help of its form's fields, by field key; no path of a tree has an @.
FORM_WORDS = "@form"


def rule_hash(*, rules: dict[str, Any]) -> str:
    """SHA-256 (hex) of the canonical rules, in which no leaf carries its text or advice, and no field its help."""
    if rules.get("form"):
        fields = [{key: value for key, value in field.items() if key != "help"} for field in rules["form"]]
        rules = {**rules, "form": fields}
    return hashlib.sha256(canonical_json(_without_words(rules)).encode()).hexdigest()


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        is_leaf = "fact" in value
        return {key: _without_words(member) for key, member in value.items() if not (is_leaf and key in WORDS)}
    if isinstance(value, list):
        return [_without_words(member) for member in value]
    return value


def criteria_words(*, criteria: Any) -> dict[str, dict[str, str]]:
    """The text and advice of each leaf that has some, by leaf id, read by the vocabulary in force.

    Raises InvalidInput where the criteria cannot be read.
    """
    words = {}
    for leaf in leaves(parse_criteria(criteria, current_vocabulary())):
        said = {key: getattr(leaf, key) for key in WORDS if getattr(leaf, key)}
        if said:
            words[leaf.id] = said
    return words


def form_words(*, form: list[dict[str, Any]] | None) -> dict[str, dict[str, str]]:
    """The help of a form's fields, as the words of an item hold it: mended without a new version."""
    helps = {field.get("key") or field["fact"]: field["help"] for field in form or () if field.get("help")}
    return {FORM_WORDS: helps} if helps else {}


@transaction.atomic
def publish_version(
    *,
    item_code: str,
    name: str,
    department: Department,
    rules: dict[str, Any],
    details: dict[str, Any],
    words: dict[str, Any],
    now: datetime,
) -> PolicyVersion:
    """List an item with these rules, as a new version where the rules differ from those in force.

    `rules` and `details` are those of docs/import-formats.md; `words` maps leaf ids to {"text", "advice"}; `now` is
    aware. Where only the words (or the name, the department) changed they are updated in place and the version in
    force stays. Emits `policy.version_published` for a new version and for an item that is listed again. Raises
    InvalidInput where criteria or award cannot be read by the vocabulary in force.
    """
    vocabulary = ensure_default(now=now)
    problems = rule_problems(rules=rules, vocabulary=current_vocabulary())
    if problems:
        raise InvalidInput(problems)
    PolicyItem.objects.get_or_create(code=item_code, defaults={"name": name, "department": department})
    item = PolicyItem.objects.select_for_update().get(code=item_code)
    digest = rule_hash(rules=rules)
    version = item.current_version
    is_new = version is None or version.rule_hash != digest
    if version is None or is_new:
        last = item.versions.aggregate(last=Max("number"))["last"] or 0
        window = rules.get("window") or {}
        version = PolicyVersion.objects.create(
            item=item,
            number=last + 1,
            rule_hash=digest,
            rules=rules,
            details=details,
            vocabulary=vocabulary,
            window_from=_day(window.get("from")),
            window_until=_day(window.get("until")),
            published_at=now,
        )
    was_listed = item.is_listed
    item.name, item.department, item.words = name, department, words
    item.current_version, item.is_listed = version, True
    item.save()
    if is_new or not was_listed:
        key = f"policy.version_published:{version.pk}" + ("" if is_new else f":{now.isoformat()}")
        outbox.emit(
            topic="policy.version_published",
            payload={"item_id": item.pk, "version_id": version.pk},
            now=now,
            dedupe_key=key,
        )
    return version


@transaction.atomic
def withdraw_item(*, item_code: str, now: datetime) -> bool:
    """Take an item off the list and emit `policy.withdrawn`; its versions stay. False where it was not listed."""
    item = PolicyItem.objects.select_for_update().filter(code=item_code, is_listed=True).first()
    if item is None:
        return False
    item.is_listed = False
    item.save(update_fields=["is_listed"])
    outbox.emit(topic="policy.withdrawn", payload={"item_id": item.pk}, now=now)
    return True


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
