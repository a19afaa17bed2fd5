"""What people fill in on the pages of supervision. Fields bear the names by which the services ask for them."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.models import Application
from matching.registry.models import Department
from portal.forms import DateInput, RowChoice


class GroundsForm(forms.Form):
    """Why a line of the ledger is said to be wrong."""

    grounds = forms.CharField(
        label=gettext_lazy("申辩理由"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("写明记录错在哪里，例如“企业补正期间时限未暂停”。只能提出一次。"),
    )


class DecisionForm(forms.Form):
    """What becomes of a line that was contested; the button says which way."""

    reason = forms.CharField(
        label=gettext_lazy("处理理由"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("写明核实情况；申辩人会看到。撤销的记录仍留在台账中，不再计入。"),
    )


class UrgeForm(forms.Form):
    """What is urged, and by when it has to be answered."""

    text = forms.CharField(
        label=gettext_lazy("督办要求"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("写明要解决的问题和要达到的结果；部门会收到。"),
    )
    due_on = forms.DateField(label=gettext_lazy("答复期限"), widget=DateInput())


class NewUrgeForm(UrgeForm):
    """The same to a department that is chosen, at large or because of an application."""

    department = RowChoice(label=gettext_lazy("督办部门"), queryset=Department.objects.none())
    number = forms.CharField(
        label=gettext_lazy("申报编号"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("就一件申报督办的，填写编号。"),
    )
    field_order = ["department", "number", "text", "due_on"]

    def __init__(self, *args: object, own: frozenset[int] | None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["department"]
        assert isinstance(field, forms.ModelChoiceField)
        every = Department.objects.order_by("name")
        field.queryset = every if own is None else every.filter(pk__in=own)

    def clean_number(self) -> Application | None:
        """The application of that number."""
        text = self.cleaned_data.get("number", "").replace("\0", "")
        if not text:
            return None
        found = Application.objects.filter(number=text).first()
        if found is None:
            raise forms.ValidationError(_("没有编号为 %(number)s 的申报，请核对。") % {"number": text})
        return found


class ReplyForm(forms.Form):
    """What a department answers."""

    reply = forms.CharField(
        label=gettext_lazy("整改说明"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("写明原因、已采取的措施和完成时间。提交后不能更改。"),
    )


class CloseForm(forms.Form):
    """How an urging ends."""

    is_settled = forms.TypedChoiceField(
        label=gettext_lazy("结论"),
        choices=[("yes", gettext_lazy("整改到位")), ("no", gettext_lazy("整改未到位"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    closing = forms.CharField(label=gettext_lazy("办结意见"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))
