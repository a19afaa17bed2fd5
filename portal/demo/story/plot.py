"""Who does what on which day: the story itself, and the work that it leaves on each desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from disbursement.models import CorrectionSubject
from disbursement.services import corrections, decisions, drafts, publicity, reviews
from disbursement.services.corrections import Ask
from disbursement.services.decisions import Reason
from matching.services import match_profiles
from portal.demo import accounts, build, policies
from portal.demo.enterprises import BOUNCED, CREDIT_FALLER, PROTAGONIST, form_answers
from portal.demo.story import acts, bank, months, papers
from portal.demo.story.casting import Casting
from portal.demo.story.stage import Stage, enterprise
from portal.demo.story.timeline import at
from portal.inbox import digest

MAIN = "zs-pledge"
SECOND = "kj-hightech"
# Where years have turned since the enterprises were drawn up, what asks for last year's figures fits nobody: the later
# items of each list look at other things.
_RESEARCH = ("kj-transfer", "kj-rd", "kj-hightech", "zs-standard", "zs-award", "rc-disabled")
_RECOGNITION = ("kj-hightech", *_RESEARCH)
_PAID = ("kj-transfer", "kj-hightech", "kj-techsme")
_ANY = ("kj-transfer", "rc-disabled", *_RESEARCH)


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
        _newcomer(stage, casting, codes, day=first, minute=minute) for minute, codes in enumerate(paid_first, 40)
    )
    second = time.before(time.cut(time.second), 14)
    to_mend = _newcomer(stage, casting, _PAID, day=second, minute=1)
    to_check = _newcomer(stage, casting, _PAID, day=second, minute=2)
    unhappy = _newcomer(stage, casting, _PAID, day=second, minute=3)
    paid_second = (("kj-rd", *_PAID), ("zs-award", "zs-standard", *_PAID))
    for minute, codes in enumerate(paid_second, 4):
        _newcomer(stage, casting, codes, day=second, minute=minute)
    late = time.before(time.cut(time.latest), 14)
    left_over: tuple[tuple[str, ...], ...] = (
        ("rc-disabled",),
        ("sw-export", "sw-retail", "sw-brand"),
        ("gy-growing", "gy-gradient", "gy-green", "gy-abovescale", "wc-design"),
    )
    for minute, codes in enumerate(left_over, 10):
        _newcomer(stage, casting, codes, day=late, minute=minute)
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


def plan_desks(stage: Stage, *, folder: Path) -> None:
    """Work at every step, with clocks in all three colours, and a policy item that waits to be published."""
    time = stage.time

    def begin(used: int, until: str, minute: int, *codes: str) -> tuple[str, str]:
        day = time.used(used)
        external_id = _newcomer(stage, stage.casting, codes or _ANY, day=day, minute=minute, until=until, own_pace=True)
        return next(key for key in stage.planned if key[0] == external_id)

    for used in (0, 2, 3):  # for the acceptor: a promise of two working days
        begin(used, "submitted", 30 + used)
    _plan_voucher(stage)
    for minute, (used, until) in enumerate(((1, "accepted"), (4, "started"), (6, "started")), 40):
        begin(used, until, minute, *_RECOGNITION)
    _then(stage, begin(5, "started", 44, *_RESEARCH), time.used(4), _ask_expert)
    for minute, used in enumerate((2, 4), 46):
        begin(used, "reviewed", minute, *_RECOGNITION)
    shown = begin(6, "reviewed", 50, *_RESEARCH)
    _then(stage, shown, time.used(4), _publicise)
    _then(stage, shown, time.used(1), _object)
    refused = begin(8, "reviewed", 52, *_RESEARCH)
    _then(stage, refused, time.used(6), _reject)
    _then(stage, refused, time.used(3), _appeal)
    _plan_gap(stage, time.used(2))
    _plan_unsent_draft(stage)
    stage.plan(at(time.end, 15), lambda now: _draft_item(stage, folder, now))


def _newcomer(
    stage: Stage,
    casting: Casting,
    codes: tuple[str, ...],
    *,
    day: date,
    minute: int,
    until: str = "approved",
    own_pace: bool = False,
) -> str:
    """Cast an enterprise for one of the items, open its account a day before, and plan its way."""
    external_id, code = casting.one_of(*codes, day=day)
    eve = stage.time.before(day, 1)
    stage.planned.append((external_id, code))

    def arrive(now: datetime) -> None:
        accounts.open_enterprise(enterprise=enterprise(external_id), now=now)
        acts.give_account(stage=stage, external_id=external_id, now=now)

    stage.plan(at(eve, 15, minute % 60), arrive)
    if own_pace:
        acts.plan_at_once(stage=stage, external_id=external_id, item_code=code, day=day, until=until, minute=minute)
    else:
        acts.plan_usual_way(stage=stage, external_id=external_id, item_code=code, day=day, until=until, minute=minute)
    return external_id


def _then(stage: Stage, key: tuple[str, str], day: date, act: acts.Step) -> None:
    stage.plan(at(day, 16), lambda now: act(stage, stage.applications[key], now))


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


def _plan_voucher(stage: Stage) -> None:
    """The protagonist's third item, with a correction that waits for whoever signs in as its agent."""
    form = form_answers("fw-voucher", stage.time.published)
    stage.plan(
        at(stage.time.used(3), 10),
        lambda now: acts.submit(stage=stage, external_id=PROTAGONIST, item_code="fw-voucher", now=now, form=form),
    )

    def ask(now: datetime) -> None:
        corrections.ask(
            application_id=stage.applications[PROTAGONIST, "fw-voucher"],
            items=[
                Ask(CorrectionSubject.MATERIAL, "invoice", "发票图片模糊，看不清号码。", "请上传清晰的电子发票原件。")
            ],
            actor=stage.staff("acceptor"),
            now=now,
        )

    stage.plan(at(stage.time.used(2), 16), ask)


def _plan_gap(stage: Stage, day: date) -> None:
    """Accepted with a material still to come (容缺受理)."""
    external_id, code = stage.casting.one_of(*_RESEARCH, day=day)
    eve = stage.time.before(day, 1)
    stage.plan(at(eve, 15, 58), lambda now: accounts.open_enterprise(enterprise=enterprise(external_id), now=now))
    stage.plan(at(eve, 16, 58), lambda now: acts.give_account(stage=stage, external_id=external_id, now=now))

    def hand_in(now: datetime) -> None:
        application = acts.draft(stage=stage, external_id=external_id, item_code=code, now=now, with_gap=True)
        promised = dict.fromkeys(acts.missing(application), stage.time.after(day, 8))
        drafts.submit(application_id=application.pk, actor=stage.person_of(external_id), now=now, gaps=promised)
        stage.applications[external_id, code] = application.pk

    stage.plan(at(day, 10, 58), hand_in)
    stage.plan(
        at(day, 15, 58),
        lambda now: acts.accept(stage=stage, application_id=stage.applications[external_id, code], now=now),
    )


def _plan_unsent_draft(stage: Stage) -> None:
    """A draft that nobody has sent yet, with an account that finance has not checked yet."""
    day = stage.time.end
    external_id, code = stage.casting.one_of("rc-disabled", *_RESEARCH, day=day)

    def begin(now: datetime) -> None:
        accounts.open_enterprise(enterprise=enterprise(external_id), now=now)
        acts.give_account(stage=stage, external_id=external_id, now=now, check=False)
        acts.draft(stage=stage, external_id=external_id, item_code=code, now=now)

    stage.plan(at(day, 16, 40), begin)


def _draft_item(stage: Stage, folder: Path, now: datetime) -> None:
    """An item that the policy officer has written and not published."""
    known = next(line for line in policies.policy_items(stage.time.published) if line["code"] == "kj-transfer")
    line = {
        **known,
        "code": "kj-transfer-next",
        "name": "技术成果转化补助（修订草案，待发布）",
        "summary": "拟把补助比例从 3% 提到 4%，发布前可先测算受益企业和资金。",
        "readings": [],
    }
    build.import_objects(lines=[line], folder=folder, name="演示草稿.jsonl", now=now, publish=False)


def _ask_expert(stage: Stage, application_id: int, now: datetime) -> None:
    reviews.ask_expert(
        application_id=application_id,
        question="请评审技术合同的技术属性，是否应全部计入成交额。",
        actor=stage.staff(acts.reviewer_of(application_id)),
        now=now,
    )


def _publicise(stage: Stage, application_id: int, now: datetime) -> None:
    acts.second_review(stage=stage, application_id=application_id, now=now)


def _object(stage: Stage, application_id: int, now: datetime) -> None:
    from disbursement.models import Publicity

    publicity.object_to(
        publicity_id=Publicity.objects.get(application_id=application_id, closed_at=None).pk,
        name="某科技服务机构",
        contact="028-8100-0999",
        text="该企业部分技术合同的受托方为其关联企业，请核实。",
        now=now,
    )


def _reject(stage: Stage, application_id: int, now: datetime) -> None:
    decisions.reject(
        application_id=application_id,
        reasons=[Reason("所附合同中有两份尚未在技术市场登记，登记后金额达不到要求。")],
        remedy="可自收到决定之日起 60 日内申请复核，或在补办登记后重新申报。",
        actor=stage.staff(acts.second_of(application_id)),
        now=now,
    )


def _appeal(stage: Stage, application_id: int, now: datetime) -> None:
    from disbursement.models import Application

    external_id = Application.objects.values_list("enterprise__external_id", flat=True).get(pk=application_id)
    decisions.appeal(
        application_id=application_id,
        grounds="两份合同已于决定前一日完成登记，登记证明随附，请复核。",
        actor=stage.person_of(external_id),
        now=now,
    )
