"""What each notice says, read from what is stored. Each function returns everything but number, date and address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from disbursement.documents.notice import Notice, Section, Table
from disbursement.domain.cycle import month_label
from disbursement.domain.money import in_words, yuan
from disbursement.domain.reasons import worded
from disbursement.domain.workflow import ClockStep
from disbursement.models import Application, Correction, Decision, DecisionKind, Payable, PaymentAttempt
from matching.days import day_of
from matching.registry.models import Department


@dataclass(frozen=True, slots=True)
class Frame:
    """What every notice bears: its number and day, the district, the address that confirms it and the product's."""

    number: str
    issued_on: date
    district: str
    verify_url: str
    site_url: str


def acceptance(*, frame: Frame, decision: Decision) -> Notice:
    """受理通知书."""
    application = decision.application
    gaps = list(application.gaps.filter(filled_at__isnull=True))
    names = _material_names(application)
    sections = [Section(heading=_("已收材料"), table=_materials(application))]
    if gaps:
        rows = [
            [str(i), names.get(gap.material_code, gap.material_code), day_text(gap.promised_by)]
            for i, gap in enumerate(gaps, 1)
        ]
        sections.append(
            Section(
                heading=_("容缺材料"),
                paragraphs=[_("下列材料经你单位承诺，可在受理后补齐。未补齐前不作出通过的决定。")],
                table=Table("", [_("序号"), _("材料"), _("承诺补齐日期")], rows, (10, 60, 30)),
            )
        )
    return of_application(
        frame,
        application,
        title=_("受理通知书"),
        opening=[
            _("你单位提交的“%(item)s”申报收悉。经审查，符合受理条件，决定予以受理。") % {"item": application.item.name}
        ],
        facts=[*subject(application), (_("受理时间"), moment_text(decision.at)), *_review_limit(application)],
        sections=sections,
        closing=[
            _("办理进度、预计兑现月份可登录 %(site)s 查询。办理不收取任何费用。") % {"site": frame.site_url},
            _("特此通知。"),
        ],
    )


def correction(*, frame: Frame, correction: Correction) -> Notice:
    """补正通知书: told once, complete."""
    application = correction.application
    rows = [
        [str(index), f"{item.get_subject_display()}：{item.label}", item.problem, item.remedy]
        for index, item in enumerate(correction.items.all(), 1)
    ]
    table = Table("", [_("序号"), _("补正事项"), _("存在的问题"), _("补正要求")], rows, (8, 26, 31, 35))
    return of_application(
        frame,
        application,
        title=_("补正通知书"),
        opening=[
            _("你单位提交的“%(item)s”申报（编号 %(number)s）需要补正。现将需补正的全部内容一次性告知如下。")
            % {"item": application.item.name, "number": application.number}
        ],
        facts=[
            *subject(application),
            (_("补正环节"), f"{correction.get_stage_display()}（第{correction.round}次）"),
            (_("补正期限"), day_text(correction.due_on)),
        ],
        sections=[
            Section(heading=_("需要补正的内容"), table=table),
            *([Section(heading=_("说明"), paragraphs=[correction.note])] if correction.note else []),
        ],
        closing=[
            _("请于 %(due)s 前登录 %(site)s 提交。补正期间不计入办理时限；逾期未补正的，视为撤回申报，可另行重新申报。")
            % {"due": day_text(correction.due_on), "site": frame.site_url},
            _("特此通知。"),
        ],
    )


def non_acceptance(*, frame: Frame, decision: Decision) -> Notice:
    """不予受理通知书."""
    application = decision.application
    return of_application(
        frame,
        application,
        title=_("不予受理通知书"),
        opening=[_("你单位提交的“%(item)s”申报收悉。经审查，决定不予受理。") % {"item": application.item.name}],
        facts=[*subject(application), (_("决定时间"), moment_text(decision.at))],
        sections=[
            Section(heading=_("一、理由"), points=_reasons(decision)),
            Section(heading=_("二、如何补救"), paragraphs=[decision.remedy]),
        ],
        closing=[_("本次不予受理不影响你单位在符合条件后重新申报。"), _("特此通知。")],
    )


def decision(*, frame: Frame, decision: Decision) -> Notice:
    """审核决定书: approved with amount, working and months; or refused, upheld, revoked with reasons."""
    kind = DecisionKind(decision.kind)
    return _approval(frame, decision) if kind is DecisionKind.APPROVED else _refusal(frame, decision, kind)


def _approval(frame: Frame, decision: Decision) -> Notice:
    application = decision.application
    assert decision.amount is not None
    payables = list(application.payables.order_by("number"))
    sections = [
        Section(
            heading=_("一、决定"),
            paragraphs=[
                _("经审核，你单位符合“%(item)s”的申报条件，予以通过，核定金额人民币 %(amount)s 元（大写：%(words)s）。")
                % {"item": application.item.name, "amount": yuan(decision.amount), "words": in_words(decision.amount)}
            ],
        ),
        Section(heading=_("二、条件核对"), table=_conditions(decision)),
        Section(heading=_("三、金额计算"), points=list(application.award.working)),
        Section(heading=_("四、兑现安排"), table=_instalments(payables)),
    ]
    return of_application(
        frame,
        application,
        title=_("审核决定书"),
        opening=[],
        facts=[
            *subject(application),
            (_("决定时间"), moment_text(decision.at)),
            (_("适用版本"), _version(application)),
        ],
        sections=sections,
        closing=[
            _("款项拨付至你单位登记的账户；因预算、账户或信用核验需要调整月份的，将另行告知原因。"),
            _("提供虚假材料取得资金的，将撤销本决定并追回资金。"),
        ],
    )


def _refusal(frame: Frame, decision: Decision, kind: DecisionKind) -> Notice:
    application = decision.application
    said = {
        DecisionKind.REJECTED: _("经审核，决定不予通过。"),
        DecisionKind.UPHELD: _("经复核，决定维持原不予通过的决定。"),
        DecisionKind.REVOKED: _("经查，决定撤销原审核通过的决定，已预留的资金予以收回。"),
    }[kind]
    sections = [
        Section(heading=_("一、决定"), paragraphs=[said]),
        Section(heading=_("二、理由"), points=_reasons(decision) or [decision.summary]),
    ]
    if decision.judgement is not None:
        sections.append(Section(heading=_("三、条件核对"), table=_conditions(decision)))
    last = _("四、救济途径") if decision.judgement is not None else _("三、救济途径")
    sections.append(Section(heading=last, paragraphs=[decision.remedy]))
    return of_application(
        frame,
        application,
        title=_("审核决定书"),
        opening=[
            _("你单位提交的“%(item)s”申报（编号 %(number)s）已办理完毕，现将决定告知如下。")
            % {"item": application.item.name, "number": application.number}
        ],
        facts=[*subject(application), (_("决定时间"), moment_text(decision.at))],
        sections=sections,
        closing=[_("特此告知。")],
    )


def payment(*, frame: Frame, attempt: PaymentAttempt) -> Notice:
    """兑现通知书: one instalment was paid."""
    payable = attempt.payable
    application = payable.application
    count = application.payables.count()
    assert attempt.outcome_on is not None
    facts = [
        *subject(application),
        (_("兑现金额"), _("人民币 %(amount)s 元") % {"amount": yuan(attempt.amount)}),
        (_("大写"), in_words(attempt.amount)),
        (_("期次"), _("第 %(number)s 期，共 %(count)s 期") % {"number": payable.number, "count": count}),
        (_("到账日期"), day_text(attempt.outcome_on)),
        (_("收款户名"), attempt.payee_name),
        (_("收款账户"), f"{attempt.bank_name} {payable.masked_account}"),
        (_("兑现批次"), f"{attempt.batch.cycle}　{attempt.batch.number}"),
    ]
    return of_application(
        frame,
        application,
        title=_("兑现通知书"),
        opening=[
            _("你单位申报的“%(item)s”资金已经兑现，现将有关情况告知如下，请查收。") % {"item": application.item.name}
        ],
        facts=facts,
        sections=[],
        closing=[
            _("如未收到款项，请与承办部门联系。欢迎登录 %(site)s 对本次服务作出“好差评”。") % {"site": frame.site_url},
            _("特此通知。"),
        ],
    )


def of_application(frame: Frame, application: Application, **parts: Any) -> Notice:
    """A notice to the enterprise that applied, from the department that is in charge."""
    department = application.item.department
    return Notice(
        number=frame.number,
        district=frame.district,
        issuer=department.name,
        recipient=application.enterprise.name,
        issued_on=frame.issued_on,
        verify_url=frame.verify_url,
        contact=_contact(department),
        **parts,
    )


def _contact(department: Department) -> str:
    parts = [part for part in (department.phone, department.address) if part]
    return _("联系方式：%(contact)s") % {"contact": "　".join(parts)} if parts else ""


def subject(application: Application) -> list[tuple[str, str]]:
    """Which application it is about."""
    assert application.number is not None
    assert application.submitted_at is not None
    return [
        (_("申报编号"), application.number),
        (_("提交时间"), moment_text(application.submitted_at)),
        (_("申报企业"), application.enterprise.name),
        (_("统一社会信用代码"), application.enterprise.credit_code),
        (_("申报事项"), application.item.name),
    ]


def _version(application: Application) -> str:
    version = application.version
    text = _("%(item)s 第 %(number)s 版（%(day)s发布）")
    return text % {"item": version.item.code, "number": version.number, "day": moment_text(version.published_at)}


def _review_limit(application: Application) -> list[tuple[str, str]]:
    clock = application.clocks.filter(step=ClockStep.REVIEW).first()
    if clock is None:
        return []
    text = _("承诺 %(promised)s 个工作日（法定 %(statutory)s 个工作日）")
    limits = {"promised": clock.promised_limit, "statutory": clock.statutory_limit}
    return [(_("审核时限"), text % limits)]


def _material_names(application: Application) -> dict[str, str]:
    return {entry["code"]: entry["name"] for entry in application.version.rules.get("materials") or []}


def _materials(application: Application) -> Table:
    names = _material_names(application)
    rows = [
        [str(index), names.get(material.code, material.code), material.name]
        for index, material in enumerate(
            application.materials.filter(replaced_at__isnull=True).order_by("code", "id"), 1
        )
    ]
    rows += [
        [str(len(rows) + index), names.get(promise.material_code, promise.material_code), _("以告知承诺替代")]
        for index, promise in enumerate(application.promises.all(), 1)
    ]
    return Table("", [_("序号"), _("材料"), _("文件")], rows or [["", _("无需提交材料"), ""]], (10, 42, 48))


def _reasons(decision: Decision) -> list[str]:
    """Each reason with the clause or the material that it points at."""
    clauses: dict[str, str] = {}
    for judgement in decision.application.judgements.all():
        for leaf in judgement.outcome["leaves"]:
            clauses[leaf["id"]] = leaf["clause"] or leaf["requirement"]
    names = _material_names(decision.application)
    told = []
    for reason in decision.reasons:
        about = clauses.get(reason.get("leaf", "")) or names.get(reason.get("material", ""))
        words = worded(reason.get("code", ""), reason["reason"])
        told.append(f"{words}（{about}）" if about else words)
    return told


_OUTCOMES = {"met": "符合", "unmet": "不符合", "unknown": "待核实"}


def _conditions(decision: Decision) -> Table:
    assert decision.judgement is not None
    rows = [
        [str(index), leaf["clause"] or leaf["requirement"], leaf["comparison"], _OUTCOMES[leaf["outcome"]]]
        for index, leaf in enumerate(decision.judgement.outcome["leaves"], 1)
    ]
    head = [_("序号"), _("申报条件"), _("核对情况"), _("结论")]
    return Table("", head, rows or [["1", _("面向所有企业"), "", _("符合")]], (8, 36, 44, 12))


def _instalments(payables: Iterable[Payable]) -> Table:
    rows = [[str(p.number), month_label(p.promised_month), p.masked_account, yuan(p.amount)] for p in payables]
    return Table(
        "", [_("期次"), _("承诺兑现月份"), _("收款账户"), _("金额（元）")], rows, (14, 30, 28, 28), frozenset({3})
    )


def day_text(day: date) -> str:
    """2026年3月2日."""
    return f"{day.year}年{day.month}月{day.day}日"


def moment_text(instant: datetime) -> str:
    """The day of an instant, as `day_text`."""
    return day_text(day_of(instant))
