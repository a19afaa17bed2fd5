"""The kinds of certificates (证照种类) that items take from the evidence library: one code means one kind everywhere.

A kind is the code of a material whose source is the library. Two names under one code would offer an enterprise's
certificate where another is meant, so a second name is refused.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from wagtail import blocks

from matching.models import PolicyItem

LIBRARY = "library"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as a listed item names it: its code and name, and that item's code and name."""

    code: str
    name: str
    item: str
    item_name: str


def kinds_in_use() -> list[Kind]:
    """What the listed items take from the library, by code, the oldest item first. One query."""
    rows = PolicyItem.objects.filter(is_listed=True, current_version__isnull=False).order_by("pk")
    found = [
        Kind(material["code"], material["name"], code, name)
        for code, name, rules in rows.values_list("code", "name", "current_version__rules")
        for material in rules.get("materials") or ()
        if material.get("source") == LIBRARY
    ]
    return sorted(found, key=lambda kind: kind.code)


def problems_of_kinds(*, code: str, materials: list[dict[str, Any]]) -> list[str]:
    """What stands against the library materials of the item `code`: kinds that other items know by another name.

    A name under which the item itself is listed already stays as it is.
    """
    wanted = {one["code"]: one["name"] for one in materials if one["source"] == LIBRARY}
    if not wanted:
        return []
    told: dict[str, str] = {}
    for kind in kinds_in_use():
        name = wanted.get(kind.code)
        if name is None:
            continue
        if kind.item == code and _plain(kind.name) == _plain(name):
            told[kind.code] = ""
        elif kind.item != code and _plain(kind.name) != _plain(name):
            said = _(
                "证照代码 %(code)s 在事项“%(item)s”（%(item_code)s）中是“%(known)s”，这里写作“%(name)s”。"
                "是同一种证照的，请写同样的名称；不是的，请换一个代码"
            )
            values = {"code": kind.code, "item": kind.item_name, "item_code": kind.item}
            told.setdefault(kind.code, said % {**values, "known": kind.name, "name": name})
    return [message for message in told.values() if message]


def _plain(name: str) -> str:
    """A name without what only its writing adds: width, blanks, brackets and other marks."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name)).casefold()


class KindInput(forms.TextInput):
    """A text input that offers the kinds in use."""

    template_name = "cms/admin/kind_input.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        offered = f"{context['widget']['attrs'].get('id') or name}-kinds"
        context["widget"]["attrs"]["list"] = offered
        context["widget"]["offered"] = offered
        context["widget"]["kinds"] = {kind.code: kind.name for kind in reversed(kinds_in_use())}
        return context


class KindBlock(blocks.CharBlock):
    """A material's code; those of the library's kinds are offered."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.field.widget = KindInput()


# To the database it is a text like any other.
DECONSTRUCT_ALIASES = {KindBlock: "wagtail.blocks.CharBlock"}
