"""What a field of a form is, once it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from matching.criteria import CodeList, FactDefinition, FactType, Node, Scope, Vocabulary
from matching.criteria.vocabulary import Hierarchy


class FieldType(StrEnum):
    """The kinds of fields. `FACT` is one fact of the vocabulary, of whatever type."""

    FACT = "fact"
    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"
    FILE = "file"
    INVOICES = "invoices"
    TABLE = "table"


# What a table's columns may hold.
COLUMN_TYPES = (FieldType.TEXT, FieldType.NUMBER, FieldType.MONEY, FieldType.DATE, FieldType.CHOICE)
# An own field of these kinds is, within its form, a fact: conditions may look at it.
_AS_FACT = {
    FieldType.NUMBER: FactType.NUMBER,
    FieldType.MONEY: FactType.NUMBER,
    FieldType.DATE: FactType.DATE,
    FieldType.CHOICE: FactType.CODE,
    FieldType.CHOICES: FactType.RECORDS,
    FieldType.YES_NO: FactType.BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. `unit` is that of a number; `options` maps the codes of a choice to what is read."""

    key: str
    label: str
    type: FieldType
    required: bool = True
    unit: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormField:
    """One question. The answer stands under `key`: for `FACT`, `INVOICES` and a summed `TABLE`, `fact` is judged by.

    `lower` and `upper` bound a number (in `unit`), a number of choices or of rows, both included; `earliest` and
    `latest` bound a date, and `past` says that it is not after the day on which it is judged (Asia/Shanghai).
    `when`: required only where it holds. `material` is the code of the material that a `FILE` is.
    """

    key: str
    type: FieldType
    label: str
    help: str = ""
    required: bool = True
    when: Node | None = None
    unit: str = ""
    lower: Decimal | None = None
    upper: Decimal | None = None
    earliest: date | None = None
    latest: date | None = None
    past: bool = False
    longest: int = 500
    options: Mapping[str, str] = field(default_factory=dict)
    fact: str | None = None
    material: str | None = None
    columns: tuple[Column, ...] = ()
    total: str | None = None

    @property
    def is_answered_here(self) -> bool:
        """Whether an answer of the form stands for it; a file is a material, invoices have their own table."""
        return self.type not in (FieldType.FILE, FieldType.INVOICES)

    @property
    def derived(self) -> str | None:
        """The fact that follows from its rows and is never typed."""
        return self.fact if self.type in (FieldType.INVOICES, FieldType.TABLE) else None

    def as_definition(self) -> FactDefinition | None:
        """The own field as a fact of its form; None for what no condition can look at."""
        kind = _AS_FACT.get(self.type)
        if kind is None:
            return None
        codes = own_list(self.key) if self.type in (FieldType.CHOICE, FieldType.CHOICES) else None
        unit = "元" if self.type is FieldType.MONEY else self.unit
        return FactDefinition(self.key, self.label, kind, codes, unit, "申报表", None, Scope.APPLICATION)


@dataclass(frozen=True, slots=True)
class Form:
    """The declared fields in their order, and the vocabulary with the form's own questions in it."""

    fields: tuple[FormField, ...]
    vocabulary: Vocabulary

    def get(self, key: str) -> FormField | None:
        return next((one for one in self.fields if one.key == key), None)

    @property
    def keys(self) -> frozenset[str]:
        """Under which keys answers may stand; facts that follow from rows among them."""
        found = {one.key for one in self.fields if one.is_answered_here}
        return frozenset(found | {one.derived for one in self.fields if one.derived is not None})


def own_list(key: str) -> str:
    """The name of the code list that a choice brings along; no list of a vocabulary has an @ in its name."""
    return f"@{key}"


def widened(vocabulary: Vocabulary, fields: tuple[FormField, ...]) -> Vocabulary:
    """The vocabulary with the form's own questions as facts of scope `application`."""
    own = {one.key: definition for one in fields if (definition := one.as_definition()) is not None}
    lists = {
        own_list(one.key): CodeList(own_list(one.key), Hierarchy.NONE, dict(one.options))
        for one in fields
        if one.type in (FieldType.CHOICE, FieldType.CHOICES)
    }
    if not own:
        return vocabulary
    return Vocabulary({**vocabulary.facts, **own}, {**vocabulary.code_lists, **lists}, vocabulary.canonical)
