"""What can be done with an application in one form of a few fields: each with its words, its form and its service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Invalid
from disbursement.domain.workflow import ApplicationAction
from disbursement.models import Application
from disbursement.selectors.staff import can_answer
from disbursement.services.evidence import stored
from disbursement.services.review import conditions, decisions, publicity, recalls, reviews, steps
from disbursement.services.review.experts import Expert, read_experts, record_report
from matching.registry.models import Department
from portal.forms import FilesField

_A = ApplicationAction


def _area(label: Any, *, required: bool = True, help_text: Any = "", rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=2000,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class ChecklistField(forms.MultipleChoiceField):
    """Lines that are all to be ticked; which were not, the service says by name."""

    def validate(self, value: Any) -> None:
        """Nothing is refused here."""


class DeedForm(forms.Form):
    """A form on the page of one application."""

    # The checklist of the item that is ticked with this deed, if any (`matching.review_path.LISTS`).
    ticks_of = ""

    def __init__(self, *args: Any, application: Application | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        checks = conditions.checks_due(application=application, step=self.ticks_of) if application else ()
        if checks:
            self.fields["ticks"] = ChecklistField(
                label=_("核对清单"),
                choices=[(check.code, check.text) for check in checks],
                widget=forms.CheckboxSelectMultiple,
                help_text=_("逐项核对无误后勾选，随决定一并存档。"),
            )
            self.order_fields(["ticks"])


class NothingForm(DeedForm):
    pass


class NoteForm(DeedForm):
    ticks_of = "acceptance"
    note = _area(_("受理意见"), required=False)


class QuestionForm(DeedForm):
    question = _area(_("需要专家评审的问题"))


class ReportForm(DeedForm):
    experts = _area(
        _("评审专家"), help_text=_("每行一位：姓名，单位，职称。例如“王某，某大学，教授”。申报企业的人员不能担任。")
    )
    unconcerned = forms.BooleanField(label=_("以上专家均已声明与申报企业无利害关系"))
    text = _area(_("专家意见"), rows=5)
    papers = FilesField(
        label=_("专家签名的评审材料"), required=False, help_text=_("可一次选多份，PDF、OFD、图片或 Office 文档。")
    )

    def clean_experts(self) -> list[Expert]:
        try:
            return read_experts(self.cleaned_data["experts"])
        except Invalid as invalid:
            raise forms.ValidationError([fault.message for fault in invalid.faults]) from invalid

    def clean_papers(self) -> list[tuple[str, bytes]]:
        files = self.cleaned_data["papers"]
        if any(file.size > stored.LARGEST for file in files):
            raise forms.ValidationError(_("文件超过 20 MB，请压缩或拆分后上传。"))
        return [(file.name, file.read()) for file in files]


class OpinionForm(DeedForm):
    ticks_of = "review"
    text = _area(_("审核意见"), help_text=_("写明核对了什么、结论是什么；企业看不到内部意见。"))


class VisitPlanForm(DeedForm):
    note = _area(_("核查时间和内容"), help_text=_("例如：3月5日下午，核对设备和生产线。企业会收到通知。"))


class DepartmentsForm(DeedForm):
    question = _area(_("会审事项"), help_text=_("写明需要各部门核对什么；各部门同时办理，互不等待。"))
    department_ids = forms.ModelMultipleChoiceField(
        label=_("会审部门"), queryset=Department.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(
        label=_("会审时限（工作日）"),
        required=False,
        min_value=1,
        max_value=steps.LONGEST_DAYS,
        help_text=_("不填为 5 个工作日。"),
    )

    def __init__(self, *args: Any, application: Application | None = None, **kwargs: Any) -> None:
        super().__init__(*args, application=application, **kwargs)
        step = steps.path_of(application=application).step("joint") if application else None
        if step is not None:  # the item says whom to ask, and for how long
            del self.fields["department_ids"], self.fields["days"]
        elif application is not None:
            choice = self.fields["department_ids"]
            assert isinstance(choice, forms.ModelMultipleChoiceField)
            others = Department.objects.exclude(pk=application.item.department_id)
            # A department without a reviewer of its own could never answer.
            choice.queryset = others.filter(pk__in=[one.pk for one in others if can_answer(department_id=one.pk)])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "department_ids" in cleaned:
            cleaned["department_ids"] = [department.pk for department in cleaned["department_ids"]]
        return cleaned


class JointOpinionForm(DeedForm):
    agrees = forms.TypedChoiceField(
        label=_("会审意见"),
        choices=[("yes", _("同意")), ("no", _("不同意"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    text = _area(_("意见内容"), help_text=_("写明依据；不同意的，写明理由和建议。"))


class RecallForm(DeedForm):
    text = _area(
        _("撤回会审的原因"), help_text=_("尚未出具意见的部门不再办理，已出具的意见照常汇总，审核时限恢复计算。")
    )


class CancelVisitForm(DeedForm):
    text = _area(_("取消现场核查的原因"), help_text=_("企业会收到通知。"))


class CancelExpertForm(DeedForm):
    text = _area(_("取消专家评审的原因"), help_text=_("企业会收到通知，审核时限恢复计算。"))


class SendBackForm(DeedForm):
    text = _area(_("退回意见"), help_text=_("写明还要核对什么。"))


class PublicityForm(DeedForm):
    ticks_of = "second_review"
    days = forms.IntegerField(
        label=_("公示工作日数"),
        required=False,
        min_value=1,
        max_value=60,
        help_text=_("不填则按事项规定；填写的不能少于事项规定。"),
    )


class SummaryForm(DeedForm):
    ticks_of = "second_review"
    summary = _area(_("决定内容"), required=False, help_text=_("不填则写“符合申报条件，审核通过。”"))


class UpholdForm(DeedForm):
    summary = _area(_("维持的理由"))
    remedy = _area(_("企业还可以怎样主张权利"), help_text=_("例如：可自收到本决定之日起六十日内依法申请行政复议。"))


@dataclass(frozen=True, slots=True)
class Deed:
    """One button on the application's page. `call` takes application_id, actor, now and the form's cleaned data."""

    name: str
    action: ApplicationAction
    label: str
    form: type[DeedForm]
    call: Callable[..., Any]
    done: str
    style: str = ""

    def do(self, *, application_id: int, actor: Actor, now: datetime, data: dict[str, Any]) -> Any:
        return self.call(application_id=application_id, actor=actor, now=now, **data)


DEEDS: tuple[Deed, ...] = (
    Deed("accept", _A.ACCEPT, "受理", NoteForm, reviews.accept, "已受理。"),
    Deed("accept-with-gap", _A.ACCEPT_WITH_GAP, "容缺受理", NoteForm, reviews.accept, "已容缺受理。"),
    Deed("start", _A.START_REVIEW, "开始审核", NothingForm, reviews.start_review, "已开始审核。"),
    Deed("recommend", _A.RECOMMEND_APPROVAL, "建议通过", OpinionForm, reviews.recommend_approval, "已提交复审。"),
    Deed("expert", _A.ASK_EXPERT, "提请专家评审", QuestionForm, reviews.ask_expert, "已提请专家评审。", "second"),
    Deed("report", _A.EXPERT_REPORT, "登记专家意见", ReportForm, record_report, "已登记。"),
    Deed(
        "cancel-expert", _A.CANCEL_EXPERT, "取消专家评审", CancelExpertForm, recalls.cancel_expert, "已取消。", "second"
    ),
    Deed("visit", _A.ARRANGE_VISIT, "安排现场核查", VisitPlanForm, steps.arrange_visit, "已安排现场核查。", "second"),
    Deed("cancel-visit", _A.CANCEL_VISIT, "取消现场核查", CancelVisitForm, recalls.cancel_visit, "已取消。", "second"),
    Deed("joint", _A.ASK_DEPARTMENTS, "提请部门会审", DepartmentsForm, steps.ask_departments, "已提请会审。", "second"),
    Deed("opinion", _A.GIVE_OPINION, "出具会审意见", JointOpinionForm, steps.give_opinion, "会审意见已出具。"),
    Deed("recall", _A.RECALL_REQUEST, "撤回会审", RecallForm, recalls.recall_request, "已撤回会审。", "second"),
    Deed("publicise", _A.PUBLICISE, "发起公示", PublicityForm, publicity.publicise, "公示已发起。"),
    Deed("approve", _A.APPROVE, "审核通过", SummaryForm, decisions.approve, "已审核通过，预算已预留。"),
    Deed("send-back", _A.SEND_BACK, "退回审核", SendBackForm, reviews.send_back, "已退回。", "second"),
    Deed("uphold", _A.UPHOLD, "维持原决定", UpholdForm, decisions.uphold, "已维持原决定。", "second"),
)
BY_NAME = {deed.name: deed for deed in DEEDS}
