"""Who does what on which day: the story itself, and the work that it leaves on each desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from disbursement.models import CorrectionSubject
from disbursement.services.application import corrections
from disbursement.services.application.corrections import Ask
from matching.services import match_profiles
from portal.demo import accounts
from portal.demo.enterprises import BOUNCED, CREDIT_FALLER, PROTAGONIST, form_answers
from portal.demo.story import acts, bank, months, papers
from portal.demo.story.casting import Casting
from portal.demo.story.newcomers import newcomer
from portal.demo.story.stage import Stage, enterprise
from portal.demo.story.timeline import at
from portal.inbox import digest

MAIN = "zs-pledge"
SECOND = "kj-hightech"
_PAID = ("kj-transfer", "kj-hightech", "kj-techsme")


@dataclass(frozen=True, slots=True)
class Cast:
    """Whom the telling asks for by name, beside those of `portal.demo.enterprises`."""

    to_mend: str
    to_check: str
    unhappy: str
    glad: tuple[str, ...]


def plan_nights(stage: Stage) -> None:
    """The machine's rounds: each night, and a full match where a month begins and at the end."""
    stage.plan_nights()
    for day in stage.time.nights():
        if day.day == 1 or day == stage.time.end:
            stage.plan(at(day, 4), lambda now: match_profiles.match_nightly(as_of=now.date(), now=now))


def plan_protagonist(stage: Stage) -> None:
    """Applies for two of the three items that fit; one needs a correction."""
    time = stage.time
    day = time.after(time.published, 1)
    form = form_answers(MAIN, time.published)
    # A slip of the pen that the acceptor finds: the digits of the guarantee fee stand the wrong way round.
    typed = {**form, "guarantee_fee_paid": "42000.00"}
    stage.plan(
        at(day, 10), lambda now: acts.submit(stage=stage, external_id=PROTAGONIST, item_code=MAIN, now=now, form=typed)
    )
    asked, supplied = time.after(day, 1), time.after(day, 2)
    stage.plan(at(asked, 9, 30), lambda now: _ask(stage, now))
    stage.plan(at(supplied, 10), lambda now: _supply(stage, now, form["guarantee_fee_paid"]))
    stage.plan(at(supplied, 14), lambda now: acts.accept(stage=stage, application_id=_main(stage), now=now))
    reviewed, again = time.after(supplied, 1), time.after(supplied, 2)
    stage.plan(at(reviewed, 10), lambda now: acts.review(stage=stage, application_id=_main(stage), now=now))
    stage.plan(at(again, 10), lambda now: acts.second_review(stage=stage, application_id=_main(stage), now=now))
    acts.plan_usual_way(stage=stage, external_id=PROTAGONIST, item_code=SECOND, day=day, minute=20)


def plan_others(stage: Stage) -> Cast:
    """The other enterprises of the two months, and those whose batches are left on the finance desks."""
    time, casting = stage.time, Casting()
    first = time.before(time.cut(time.first), 14)
    for external_id in (CREDIT_FALLER, BOUNCED):
        acts.plan_usual_way(stage=stage, external_id=external_id, item_code=SECOND, day=first, minute=30)
    paid_first: tuple[tuple[str, ...], ...] = (
        ("kj-transfer",),
        ("kj-hightech",),
        ("kj-techsme", "kj-rd"),
        ("zs-standard", "zs-award"),
    )
    glad = tuple(
        newcomer(stage, casting, codes, day=first, minute=minute) for minute, codes in enumerate(paid_first, 40)
    )
    second = time.before(time.cut(time.second), 14)
    to_mend = newcomer(stage, casting, _PAID, day=second, minute=1)
    to_check = newcomer(stage, casting, _PAID, day=second, minute=2)
    unhappy = newcomer(stage, casting, _PAID, day=second, minute=3)
    paid_second = (("kj-rd", *_PAID), ("zs-award", "zs-standard", *_PAID))
    for minute, codes in enumerate(paid_second, 4):
        newcomer(stage, casting, codes, day=second, minute=minute)
    late = time.before(time.cut(time.latest), 14)
    left_over: tuple[tuple[str, ...], ...] = (
        ("rc-disabled",),
        ("sw-export", "sw-retail", "sw-brand"),
        ("gy-growing", "gy-gradient", "gy-green", "gy-abovescale", "wc-design"),
    )
    for minute, codes in enumerate(left_over, 10):
        newcomer(stage, casting, codes, day=late, minute=minute)
    stage.casting = casting
    return Cast(to_mend=to_mend, to_check=to_check, unhappy=unhappy, glad=glad)


def plan_money(stage: Stage, cast: Cast) -> None:
    """The months, from the loss of trust before the first cut-off to the ratings after the second."""
    time = stage.time
    months.plan_credit_fall(stage)
    for month in sorted({time.first, time.second, time.latest}):
        months.plan_cut_off(stage, month)
    months.plan_payment(stage, time.first, bounces={BOUNCED: bank.CLOSED_ACCOUNT})
    months.plan_mending(stage)
    bounces = {cast.to_mend: bank.CLOSED_ACCOUNT, cast.to_check: bank.WRONG_NAME}
    months.plan_payment(stage, time.second, bounces=bounces, strangers=1)
    months.plan_left_over(stage, time.latest)
    months.plan_ratings(stage, unhappy=cast.unhappy, glad=cast.glad)
    mended = time.after(time.cut(time.second), 4)
    stage.plan(
        at(mended, 11),
        lambda now: acts.give_account(
            stage=stage, external_id=cast.to_check, now=now, number="6214850288001122", check=False
        ),
    )
    stage.plan(at(mended, 11, 30), lambda now: accounts.authorise_agent(enterprise=enterprise(cast.to_mend), now=now))
    stage.plan(at(time.published, 18), lambda now: digest.send_digests(day=now.date(), now=now))
    stage.plan(at(time.end, 18), lambda now: digest.send_digests(day=now.date(), now=now))


def _main(stage: Stage) -> int:
    return stage.applications[PROTAGONIST, MAIN]


def _ask(stage: Stage, now: datetime) -> None:
    corrections.ask(
        application_id=_main(stage),
        items=[
            Ask(
                CorrectionSubject.MATERIAL,
                "interest-receipt",
                "利息支付凭证缺少银行业务章，无法确认已付利息。",
                "请上传加盖银行业务章的利息回单。",
            ),
            Ask(
                CorrectionSubject.FIELD,
                "guarantee_fee_paid",
                "填写的担保费 42,000 元与所附发票 24,000 元不一致。",
                "请核对后更正金额。",
            ),
        ],
        note="以上两项补正后即可受理。",
        actor=stage.staff("acceptor"),
        now=now,
        days=5,
    )


def _supply(stage: Stage, now: datetime, fee: str) -> None:
    from disbursement.models import Application

    application = Application.objects.select_related("enterprise", "item").get(pk=_main(stage))
    receipt = papers.jpeg(
        title="利息支付回单",
        lines=["付款户名：" + application.enterprise.name, "已付利息：186,500.00 元"],
        stamp="业务章",
    )
    acts.upload(
        stage=stage,
        application=application,
        code="interest-receipt",
        name="利息回单（盖章）.jpg",
        content=receipt,
        now=now,
    )
    corrections.supply(
        application_id=application.pk, actor=stage.person_of(PROTAGONIST), now=now, form={"guarantee_fee_paid": fee}
    )
