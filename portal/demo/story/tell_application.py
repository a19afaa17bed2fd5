"""Chapters 4 to 6: an application, its correction, review and award."""

from __future__ import annotations

from decimal import Decimal

from disbursement.domain import clocks
from disbursement.domain.cycle import month_label
from disbursement.domain.money import total
from disbursement.domain.workflow import ApplicationAction, ClockStep
from disbursement.ledger.posting import balances
from disbursement.models import (
    AccountKind,
    Application,
    Award,
    Correction,
    Decision,
    DecisionKind,
    Document,
    DocumentKind,
    Judgement,
    Occasion,
    Opinion,
    Publicity,
    TransitionLog,
)
from disbursement.selectors.applications import with_clocks
from disbursement.selectors.forms import form_fields, material_rules
from disbursement.selectors.pay_month import pay_month
from disbursement.services.application import judging
from matching.days import day_of
from matching.models import Verdict
from portal.demo.enterprises import BOUNCED, CREDIT_FALLER, PROTAGONIST
from portal.demo.narrator import Narrator, money
from portal.demo.story.plot import MAIN, SECOND
from portal.demo.story.stage import Stage
from portal.facts.display import fact_text


def _application(stage: Stage, external_id: str = PROTAGONIST, code: str = MAIN) -> Application:
    return with_clocks(Application.objects.filter(pk=stage.applications[external_id, code])).get()


def submission(stage: Stage, say: Narrator) -> None:
    application = _application(stage)
    assert application.submitted_at is not None
    who = application.created_by.get_full_name()
    say.chapter("申报：企业画像预填，缺什么填什么", day=day_of(application.submitted_at))
    entry = TransitionLog.objects.get(application=application, action=ApplicationAction.SUBMIT)
    say.say(
        f"提交“{application.item.name}”，编号 {application.number}，适用第 {application.version.number} 版。",
        at=entry.at,
        who=f"{who}（经办人）",
    )
    rules = judging.rules_of(version=application.version, now=entry.at)
    first = Judgement.objects.filter(application=application, occasion=Occasion.SUBMISSION).get()
    for field in form_fields(rules=rules):
        if field.key in first.facts:
            say.detail(f"填报 {field.label}：{fact_text(field.key, first.facts[field.key], rules.vocabulary)}")
    names = {rule.code: rule for rule in material_rules(version=application.version)}
    for material in application.materials.filter(uploaded_at__lte=entry.at).order_by("id"):
        how = "取自证照库" if material.evidence_version_id else "上传"
        say.detail(
            f"{how} {names[material.code].name}（{material.get_content_type_display()}，"
            f"{material.size / 1024:.0f} KB，SHA-256 {material.sha256[:12]}…）"
        )
    fetched = [rule.name for rule in names.values() if rule.origin == "exchange"]
    say.detail(f"免交 {len(fetched)} 项：{'、'.join(fetched)}（数据共享核验）")
    figures = first.outcome["estimate"]
    say.say(
        f"机器按当日画像判定：{Verdict(first.verdict).label}；"
        f"按所填信息测算 {money(Decimal(figures['low']))}。判定的输入和结果原样留存，可重放。",
        at=first.made_at,
        who="系统",
    )
    month = pay_month(application=application, as_of=day_of(entry.at), calendar=stage.time.calendar)
    if month.month is not None:
        say.say(f"告诉企业：预计 {month_label(month.month)} 兑现（{month.reason.rstrip('。')}）。", who="系统")


def correction(stage: Stage, say: Narrator) -> None:
    application = _application(stage)
    asked = Correction.objects.prefetch_related("items").get(application=application)
    assert asked.supplied_at is not None
    say.chapter("一次补正：一次说全，时限暂停", day=day_of(asked.asked_at), until=day_of(asked.supplied_at))
    who = asked.asked_by.get_full_name()
    say.say(
        f"第 {asked.round} 次告知补正，共 {asked.items.count()} 项，{asked.due_on} 前补齐：",
        at=asked.asked_at,
        who=f"{who}（受理人）",
    )
    for item in asked.items.all():
        say.detail(f"{item.get_subject_display()}“{item.label}”：{item.problem}{item.remedy}")
    notice = Document.objects.filter(application=application, kind=DocumentKind.CORRECTION).first()
    if notice is not None:
        say.say(f"签发{notice.get_kind_display()} {notice.number}。", at=notice.issued_at, who="系统")
    supply = TransitionLog.objects.get(application=application, action=ApplicationAction.SUPPLY)
    assert supply.actor is not None
    replaced = application.materials.filter(uploaded_at__gt=asked.asked_at).order_by("id").first()
    say.say(
        "提交补正："
        + (f"重传“{replaced.name}”（{replaced.get_content_type_display()}），" if replaced else "")
        + "更正金额。",
        at=supply.at,
        who=f"{supply.actor.get_full_name()}（经办人）",
    )
    clock = application.clocks.get(step=ClockStep.ACCEPTANCE)
    reading = clocks.read(clock.as_clock(), as_of=day_of(supply.at), calendar=stage.time.calendar)
    accepted = Decision.objects.get(application=application, kind=DecisionKind.ACCEPTED)
    notice = Document.objects.get(application=application, kind=DocumentKind.ACCEPTANCE)
    assert accepted.by is not None
    say.say(
        f"予以受理，签发{notice.get_kind_display()} {notice.number}。受理环节承诺 {reading.limit} 个工作日，"
        f"用了 {reading.used} 个，补正期间不计。",
        at=accepted.at,
        who=f"{accepted.by.get_full_name()}（受理人）",
    )


def approval(stage: Stage, say: Narrator) -> None:
    application = _application(stage)
    opinion = Opinion.objects.select_related("by").get(application=application)
    publicity = Publicity.objects.select_related("opened_by").get(application=application)
    decision = Decision.objects.get(application=application, kind=DecisionKind.APPROVED)
    award = Award.objects.get(application=application)
    say.chapter("审核、公示、核定：算式摆在明面上", day=day_of(opinion.at), until=day_of(decision.at))
    say.say(
        opinion.text + f"建议金额 {money(opinion.amount or award.amount)}。",
        at=opinion.at,
        who=_who(opinion.by, "初审人"),
    )
    say.say(
        f"同意，公示 {publicity.starts_on.month}月{publicity.starts_on.day}日 至 {publicity.ends_on.month}月"
        f"{publicity.ends_on.day}日，拟兑现 {money(publicity.amount)}；公示期间审核时限暂停。",
        at=publicity.opened_at,
        who=_who(publicity.opened_by, "复审人"),
    )
    objections = publicity.objections.count()
    say.say(
        f"收到异议 {objections} 件。{decision.summary}核定 {money(award.amount)}：",
        at=decision.at,
        who="系统",
    )
    for line in award.working:
        say.detail(line)
    payable = application.payables.get()
    assert payable.budget_line is not None
    held = balances(line=payable.budget_line)
    say.say(
        f"同一事务里从“{payable.budget_line.name}”预留 {money(payable.amount)}，并承诺 "
        f"{month_label(payable.promised_month)} 兑现；该科目已预留 {money(held[AccountKind.RESERVED])}，"
        f"可用 {money(held[AccountKind.APPROPRIATED])}。",
        at=award.granted_at,
        who="系统",
    )
    clock = application.clocks.get(step=ClockStep.REVIEW)
    reading = clocks.read(clock.as_clock(), as_of=day_of(decision.at), calendar=stage.time.calendar)
    say.detail(f"审核环节法定 {clock.statutory_limit} 个、承诺 {reading.limit} 个工作日，实用 {reading.used} 个。")
    judged = Judgement.objects.filter(application=application, occasion=Occasion.DECISION).order_by("-pk").first()
    assert judged is not None
    replayed = judging.replay(judgement=judged)
    say.say(
        "重放这次判定：" + ("结果逐字节相同。" if replayed.same and replayed.intact else "结果不同，请检查。"),
        who="系统",
    )
    say.heading("同一个月核定的全部申报")
    rows = []
    awards = Award.objects.filter(granted_at__date__lte=stage.time.cut(stage.time.first)).select_related(
        "application__item", "enterprise"
    )
    named = {PROTAGONIST, CREDIT_FALLER, BOUNCED}
    for granted in awards.order_by("granted_at", "pk"):
        mark = "●" if granted.enterprise.external_id in named else ""
        rows.append(
            [granted.application.number or "", mark, granted.enterprise.name, granted.application.item.name,
             money(granted.amount)]
        )  # fmt: skip
    rows.append(["合计", "", "", f"{len(rows)} 件", money(total(granted.amount for granted in awards))])
    say.table(["申报编号", "", "企业", "事项", "核定金额"], rows, right=(4,))
    other = _application(stage, PROTAGONIST, SECOND)
    say.note(f"● 是下面要跟着走的三家；{other.enterprise.name} 还申报了“{other.item.name}”。")


def _who(user: object, part: str) -> str:
    return f"{user}（{part}）"
