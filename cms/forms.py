"""The editor's form of an item."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminPageForm

from cms.fields import JsonTextarea
from matching.registry.models import BudgetLine
from matching.services.vocabulary import ITEM_TYPES, current_vocabulary


def _unchosen() -> tuple[str, str]:
    return ("", str(_("请选择")))


def item_types() -> list[tuple[str, str]]:
    """The types of the vocabulary in force, as choices."""
    types = current_vocabulary().code_lists.get(ITEM_TYPES)
    return [_unchosen(), *(types.codes.items() if types else ())]


def budget_lines() -> list[tuple[str, str]]:
    """The budget lines of all years, each code once, with the latest name."""
    named = dict(BudgetLine.objects.order_by("year").values_list("code", "name"))
    return [_unchosen(), *((code, f"{name}（{code}）") for code, name in sorted(named.items()))]


class ItemPageForm(WagtailAdminPageForm):
    """Types and budget lines are chosen, the code is fixed once saved, rules are edited as JSON."""

    item_type = forms.ChoiceField(label=_("事项类型"), choices=item_types)
    budget_line = forms.ChoiceField(label=_("预算科目"), choices=budget_lines, required=False)
    criteria = forms.CharField(label=_("申报条件"), widget=JsonTextarea)
    award = forms.CharField(label=_("支持标准"), widget=JsonTextarea, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("criteria", "award"):
            if name in self.fields:
                self.fields[name].help_text = self._meta.model._meta.get_field(name).help_text
        if self.instance.pk and "code" in self.fields:
            self.fields["code"].disabled = True
