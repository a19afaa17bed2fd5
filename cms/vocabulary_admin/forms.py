"""Forms by which an officer changes the vocabulary; the service checks what they say."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from matching.criteria import CodeList, FactType, Vocabulary
from matching.criteria.vocabulary import Hierarchy

KEY = RegexValidator(r"\A[a-z][a-z0-9_]{0,79}\Z", _("以小写字母开头，只用小写字母、数字和下划线，如 revenue"))
CODE = RegexValidator(r"\A[A-Za-z0-9_.-]{1,60}\Z", _("只用字母、数字、点、短横和下划线"))
PERIOD = RegexValidator(
    r"\AP(?=\d)(\d{1,4}Y)?(\d{1,4}M)?(\d{1,4}D)?\Z", _("写作 P1Y（一年）、P6M（六个月）、P90D（九十天）")
)

TYPES = [
    (FactType.NUMBER.value, _("数值")),
    (FactType.YEARLY.value, _("分年度的数值")),
    (FactType.DATE.value, _("日期")),
    (FactType.BOOLEAN.value, _("是或否")),
    (FactType.CODE.value, _("代码（从代码表中选一个）")),
    (FactType.RECORDS.value, _("记录（资质、处罚等，可有多条）")),
]
HIERARCHIES = [
    (Hierarchy.NONE.value, _("没有上下级")),
    (Hierarchy.PREFIX.value, _("按代码前缀（5101 包括 510105）")),
    (Hierarchy.PARENTS.value, _("逐个指定上级")),
]
SCOPES = [
    ("enterprise", _("企业的情况")),
    ("application", _("申报项目的情况（在申报表中填写）")),
]


class FactForm(forms.Form):
    key = forms.CharField(label=_("代号"), max_length=80, validators=[KEY], help_text=_("条件里用它指称，保存后不能改"))
    label = forms.CharField(label=_("名称"), max_length=80)
    type = forms.ChoiceField(label=_("类型"), choices=TYPES)
    codes = forms.ChoiceField(label=_("代码表"), required=False, help_text=_("只有“代码”和“记录”要选"))
    unit = forms.CharField(label=_("单位"), max_length=20, required=False, help_text=_("如：元、%、人、件"))
    source = forms.CharField(label=_("来源"), max_length=80, required=False, help_text=_("如：市场监管、税务、申报表"))
    fresh_for = forms.CharField(label=_("多久需更新"), max_length=20, required=False, validators=[PERIOD])
    scope = forms.ChoiceField(label=_("范围"), choices=SCOPES)

    def __init__(self, *args: Any, vocabulary: Vocabulary, existing: str | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.vocabulary = vocabulary
        self.existing = existing
        names = [(name, name) for name in vocabulary.code_lists]
        self.fields["codes"].choices = [("", _("请选择")), *names]  # type: ignore[attr-defined]
        if existing:
            self.fields["key"].disabled = True

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not self.existing and key in self.vocabulary.facts:
            raise forms.ValidationError(_("事实 %(key)s 已经有了；要修改请从列表进入") % {"key": key})
        return key

    def definition(self) -> dict[str, Any]:
        """The fact as it stands in a vocabulary file; what is empty is left out."""
        found = {name: self.cleaned_data[name] for name in self.fields if self.cleaned_data.get(name)}
        if found.get("scope") == "enterprise":
            del found["scope"]
        return found

    @staticmethod
    def initial_of(vocabulary: Vocabulary, key: str) -> dict[str, Any]:
        fact = vocabulary.facts[key]
        period = fact.fresh_for
        return {
            "key": fact.key,
            "label": fact.label,
            "type": fact.type.value,
            "codes": fact.codes or "",
            "unit": fact.unit,
            "source": fact.source,
            "fresh_for": _iso(period.months, period.days) if period else "",
            "scope": fact.scope.value,
        }


class CodeListForm(forms.Form):
    name = forms.CharField(label=_("代号"), max_length=80, validators=[KEY])
    hierarchy = forms.ChoiceField(label=_("上下级"), choices=HIERARCHIES)
    code = forms.CharField(label=_("第一个代码"), max_length=60, validators=[CODE])
    label = forms.CharField(label=_("它的名称"), max_length=120)


class CodeForm(forms.Form):
    code = forms.CharField(label=_("代码"), max_length=60, validators=[CODE])
    label = forms.CharField(label=_("名称"), max_length=120)
    parent = forms.ChoiceField(label=_("上级"), required=False)

    def __init__(self, *args: Any, code_list: CodeList, existing: str | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.code_list = code_list
        self.existing = existing
        if code_list.hierarchy is Hierarchy.PARENTS:
            own = [(code, f"{label}（{code}）") for code, label in code_list.codes.items() if code != existing]
            self.fields["parent"].choices = [("", _("没有上级")), *own]  # type: ignore[attr-defined]
        else:
            del self.fields["parent"]
        if existing:
            self.fields["code"].disabled = True

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not self.existing and code in self.code_list.codes:
            raise forms.ValidationError(_("代码 %(code)s 已经有了") % {"code": code})
        return code


def _iso(months: int, days: int) -> str:
    years, rest = divmod(months, 12)
    return "P" + "".join(f"{count}{unit}" for count, unit in ((years, "Y"), (rest, "M"), (days, "D")) if count)
