"""What an item asks: the fields its form declares, the application facts of criteria and award, its materials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from disbursement.domain.invoices import INVOICE_FACTS
from matching.criteria import FactDefinition, Node, Scope, Vocabulary, leaves, parse_criteria
from matching.criteria.award import Award, parse_award
from matching.forms import FieldType, Form, FormField, parse_form
from matching.models import PolicyVersion

EMPTY_FORM = Form((), Vocabulary({}, {}))


@dataclass(frozen=True, slots=True)
class Rules:
    """A version's criteria and award, read by one vocabulary; `form` is what the form asks in all."""

    tree: Node
    award: Award | None
    vocabulary: Vocabulary
    declared: Form = EMPTY_FORM

    def fact_keys(self) -> list[str]:
        """Every fact that criteria and award look at, in reading order, each once."""
        return list(dict.fromkeys([*_tree_keys(self.tree), *_award_keys(self.award)]))

    @property
    def form(self) -> Form:
        """The form as it is asked: declared fields in their order, then what the rules need beside them.

        A fact that is the total of an invoice table is asked by that table, however it was declared.
        """
        fields = [_with_table(field) for field in self.declared.fields]
        there = {field.key for field in fields} | {field.fact for field in fields}
        fields += [
            _with_table(FormField(key, FieldType.FACT, self.vocabulary.facts[key].label, required=False, fact=key))
            for key in self.fact_keys()
            if self.vocabulary.facts[key].scope is Scope.APPLICATION and key not in there
        ]
        vocabulary = self.declared.vocabulary if self.declared.fields else self.vocabulary
        return Form(tuple(fields), vocabulary)


@dataclass(frozen=True, slots=True)
class MaterialRule:
    """One material of an item: who brings it, whether it must be there, what may stand in for it."""

    code: str
    name: str
    required: bool
    origin: str
    note: str
    tolerable: bool
    promise: str

    @property
    def is_brought(self) -> bool:
        """Whether the enterprise hands in a file; data exchange and the form it fills in online ask no paper of it."""
        return self.origin not in {"exchange", "form"}

    @property
    def is_typed(self) -> bool:
        """Whether it is the form itself, filled in online."""
        return self.origin == "form"


def read_rules(*, version: PolicyVersion, vocabulary: Vocabulary) -> Rules:
    """The version's criteria, award and form. Raises InvalidInput where this vocabulary cannot read them."""
    tree = parse_criteria(version.rules["criteria"], vocabulary)
    award = version.rules.get("award")
    declared = version.rules.get("form")
    return Rules(
        tree,
        None if award is None else parse_award(award, vocabulary),
        vocabulary,
        EMPTY_FORM if not declared else parse_form(declared, vocabulary),
    )


def form_fields(*, rules: Rules) -> list[FactDefinition]:
    """The application facts of criteria and award, which the form asks for, in reading order."""
    known = rules.vocabulary.facts
    return [known[key] for key in rules.fact_keys() if known[key].scope is Scope.APPLICATION]


def questions(*, rules: Rules) -> list[tuple[str, str]]:
    """(key, label) of every answer of the form, in its order: what a correction or a page may name."""
    found = {one.key: one.label for one in rules.form.fields if one.type is not FieldType.FILE}
    for definition in form_fields(rules=rules):
        found.setdefault(definition.key, definition.label)
    return list(found.items())


def _with_table(field: FormField) -> FormField:
    if field.type is FieldType.FACT and field.key in INVOICE_FACTS:
        return replace(field, type=FieldType.INVOICES)
    return field


def material_rules(*, version: PolicyVersion) -> list[MaterialRule]:
    """The version's materials, in its order. `promise`: the text that may be signed instead (告知承诺), else empty."""
    return [_material(entry) for entry in version.rules.get("materials") or []]


def _material(entry: dict[str, Any]) -> MaterialRule:
    promise = entry.get("promise") or ""
    return MaterialRule(
        code=entry["code"],
        name=entry["name"],
        required=bool(entry.get("required", True)),
        origin=entry.get("source", "applicant"),
        note=entry.get("note", ""),
        tolerable=bool(entry.get("tolerable", True)),
        promise=promise
        if isinstance(promise, str)
        else f"本企业承诺符合“{entry['name']}”所证明的情况，愿承担不实承诺的责任。",
    )


def _tree_keys(tree: Node | None) -> Iterator[str]:
    if tree is None:
        return
    for leaf in leaves(tree):
        yield leaf.fact
        other = getattr(leaf, "percent_of", None)
        if other is not None:
            yield other


def _award_keys(award: Award | None) -> Iterator[str]:
    if award is None:
        return
    for rule in award.rules:
        yield from _tree_keys(rule.when.tree)
        yield from (base.fact for base in (rule.of, rule.cap_fact) if base is not None)
    for bonus in award.bonus_points:
        yield from _tree_keys(bonus.when.tree)
