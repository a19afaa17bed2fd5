"""What people do with applications, one act a function; and the usual way of one from submission to approval."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from disbursement.domain.actors import Actor
from disbursement.domain.invoices import INVOICE_FACTS
from disbursement.models import Application
from disbursement.selectors.forms import material_rules, questions
from disbursement.services.application import drafts, judging, materials
from disbursement.services.payment import payees
from disbursement.services.review import conditions, decisions, publicity, reviews
from matching.days import day_of
from matching.models import PolicyItem
from portal.accounts.models import User
from portal.demo.accounts import MAIN_DEPARTMENTS
from portal.demo.policies import forms
from portal.demo.story import papers
from portal.demo.story.stage import Stage, enterprise
from portal.demo.story.timeline import at

Step = Callable[[Stage, int, datetime], None]
BANKS = ("成都农商银行青羊支行", "中国工商银行成都草市支行", "中国建设银行成都青羊支行", "成都银行琴台支行")


def give_account(*, stage: Stage, external_id: str, now: datetime, number: str = "", check: bool = True) -> None:
    """The enterprise enters the account to be paid to, and finance checks it."""
    known = enterprise(external_id)
    place = int(external_id.removeprefix("E"))  # not its key: that is another one on every database
    account = payees.propose_account(
        enterprise_id=known.pk,
        account_name=known.name,
        bank_name=BANKS[place % len(BANKS)],
        account_number=number or f"6228480{place:09d}",
        actor=stage.person_of(external_id),
        now=now,
    )
    if check:
        payees.check_account(
            account_id=account.pk, actor=stage.staff("checker"), now=now, accept=True, note="与开户许可证一致"
        )


def draft(
    *,
    stage: Stage,
    external_id: str,
    item_code: str,
    now: datetime,
    form: Mapping[str, Any] | None = None,
    with_gap: bool = False,
) -> Application:
    """Begin an application, fill in its form, and hand in what is asked for and not on file.

    `with_gap` leaves out the last material that may come later (容缺).
    """
    who = stage.person_of(external_id)
    known = enterprise(external_id)
    application = drafts.create_draft(item_id=_item_id(item_code), enterprise_id=known.pk, actor=who, now=now)
    asked = _asked(application, now)
    typed = {**forms.answers(item_code, day_of(now)), **(form or {})}
    answers = {key: value for key, value in typed.items() if key in asked}
    totals = [answers.pop(key) for key in sorted(INVOICE_FACTS & answers.keys())]
    drafts.save_draft(
        application_id=application.pk,
        actor=who,
        now=now,
        form=answers,
        invoices=papers.invoices(total=Decimal(totals[0]), seed=application.pk, day=day_of(now)) if totals else None,
        contact_name=_name_of(who),
        contact_phone="028-8100-0001",
    )
    wanted = missing(application)
    rules = {rule.code: rule for rule in material_rules(version=application.version)}
    if with_gap:
        wanted.remove([code for code in wanted if rules[code].tolerable][-1])
    for code in wanted:
        name = rules[code].name
        page = papers.pdf(title=name, lines=_about(application), stamp=known.name[2:6])
        upload(stage=stage, application=application, code=code, name=f"{name}.pdf", content=page, now=now)
    return application


def missing(application: Application) -> list[str]:
    """Codes of the materials that must be handed in and are not there."""
    there = set(application.materials.filter(replaced_at=None).values_list("code", flat=True))
    rules = material_rules(version=application.version)
    return [rule.code for rule in rules if rule.required and rule.is_brought and rule.code not in there]


def upload(*, stage: Stage, application: Application, code: str, name: str, content: bytes, now: datetime) -> None:
    materials.upload(
        application_id=application.pk,
        code=code,
        name=name,
        content=content,
        actor=stage.person_of(application.enterprise.external_id),
        now=now,
    )


def submit(
    *, stage: Stage, external_id: str, item_code: str, now: datetime, form: Mapping[str, Any] | None = None
) -> Application:
    """Draft and hand in."""
    application = draft(stage=stage, external_id=external_id, item_code=item_code, now=now, form=form)
    stage.applications[external_id, item_code] = application.pk
    return drafts.submit(application_id=application.pk, actor=stage.person_of(external_id), now=now)


def accept(*, stage: Stage, application_id: int, now: datetime) -> None:
    reviews.accept(application_id=application_id, actor=stage.staff("acceptor"), now=now)


def review(*, stage: Stage, application_id: int, now: datetime) -> None:
    """First review, in favour."""
    who = stage.staff(reviewer_of(application_id))
    reviews.start_review(application_id=application_id, actor=who, now=now)
    reviews.recommend_approval(
        application_id=application_id, text="材料齐全，与数据核验一致，建议通过。", actor=who, now=now
    )


def second_review(*, stage: Stage, application_id: int, now: datetime) -> None:
    """Publicise where the item asks for it, else approve."""
    who = stage.staff(second_of(application_id))
    application = Application.objects.select_related("version").get(pk=application_id)
    if conditions.publicity_days(application):
        publicity.publicise(application_id=application_id, actor=who, now=now)
    else:
        decisions.approve(application_id=application_id, actor=who, now=now)


def plan_usual_way(
    *, stage: Stage, external_id: str, item_code: str, day: date, until: str = "approved", minute: int = 0
) -> None:
    """Submitted on `day`, accepted the working day after, then a step each working day; a night ends the publicity.

    `until` is the last step: submitted, accepted, reviewed or approved.
    """
    steps: Sequence[str] = ("submitted", "accepted", "reviewed", "approved")
    last = steps.index(until)

    def step(number: int, hour: int, act: Any) -> None:
        if number <= last:
            when = at(stage.time.after(day, number) if number else day, hour, minute)
            stage.plan(when, act)

    def made() -> int:
        return stage.applications[external_id, item_code]

    step(0, 10, lambda now: submit(stage=stage, external_id=external_id, item_code=item_code, now=now))
    step(1, 10, lambda now: accept(stage=stage, application_id=made(), now=now))
    step(2, 11, lambda now: review(stage=stage, application_id=made(), now=now))
    step(3, 14, lambda now: second_review(stage=stage, application_id=made(), now=now))


def plan_at_once(*, stage: Stage, external_id: str, item_code: str, day: date, until: str, minute: int = 0) -> None:
    """All on one day, so that the clock of the next step runs from it.

    `until` is submitted, accepted, started (under review) or reviewed.
    """

    def made() -> int:
        return stage.applications[external_id, item_code]

    def start(now: datetime) -> None:
        reviews.start_review(application_id=made(), actor=stage.staff(reviewer_of(made())), now=now)

    wanted: dict[str, list[tuple[int, Callable[[datetime], object]]]] = {
        "submitted": [],
        "accepted": [(11, lambda now: accept(stage=stage, application_id=made(), now=now))],
    }
    wanted["started"] = [*wanted["accepted"], (14, start)]
    wanted["reviewed"] = [
        *wanted["accepted"],
        (14, lambda now: review(stage=stage, application_id=made(), now=now)),
    ]
    stage.plan(
        at(day, 10, minute), lambda now: submit(stage=stage, external_id=external_id, item_code=item_code, now=now)
    )
    for hour, act in wanted[until]:
        stage.plan(at(day, hour, minute), act)


def reviewer_of(application_id: int) -> str:
    return "reviewer" if _department(application_id) in MAIN_DEPARTMENTS else "reviewer2"


def second_of(application_id: int) -> str:
    return "second" if _department(application_id) in MAIN_DEPARTMENTS else "second2"


def _department(application_id: int) -> str:
    return str(Application.objects.values_list("item__department__code", flat=True).get(pk=application_id))


def _item_id(code: str) -> int:
    return PolicyItem.objects.values_list("pk", flat=True).get(code=code)


def _name_of(who: Actor) -> str:
    assert who.user_id is not None
    return User.objects.get(pk=who.user_id).get_full_name()


def _asked(application: Application, now: datetime) -> Collection[str]:
    return dict(questions(rules=judging.rules_of(version=application.version, now=now))).keys()


def _about(application: Application) -> list[str]:
    known = application.enterprise
    return [
        f"企业名称：{known.name}",
        f"统一社会信用代码：{known.credit_code}",
        f"申报事项：{application.item.name}",
        "兹证明所附材料真实、完整、有效。",
    ]
