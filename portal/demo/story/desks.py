"""What the story leaves on each desk: work at every step, with clocks in all three colours, for whoever signs in."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from disbursement.models import CorrectionSubject
from disbursement.services.application import corrections, drafts
from disbursement.services.application.corrections import Ask
from disbursement.services.review import decisions, publicity, reviews
from disbursement.services.review.conditions import Reason
from portal.demo import accounts, build, policies
from portal.demo.enterprises import PROTAGONIST, form_answers
from portal.demo.story import acts
from portal.demo.story.newcomers import RESEARCH, newcomer, then
from portal.demo.story.stage import Stage, enterprise
from portal.demo.story.steps import plan_steps
from portal.demo.story.timeline import at

_RECOGNITION = ("kj-hightech", *RESEARCH)
_ANY = ("kj-transfer", "rc-disabled", *RESEARCH)


def plan_desks(stage: Stage, *, folder: Path) -> None:
    """Work at every step, with clocks in all three colours, and a policy item that waits to be published."""
    time = stage.time
    plan_steps(stage)

    def begin(used: int, until: str, minute: int, *codes: str) -> tuple[str, str]:
        day = time.used(used)
        external_id = newcomer(stage, stage.casting, codes or _ANY, day=day, minute=minute, until=until, own_pace=True)
        return next(key for key in stage.planned if key[0] == external_id)

    for used in (0, 2, 3):  # for the acceptor: a promise of two working days
        begin(used, "submitted", 30 + used)
    _plan_voucher(stage)
    for minute, (used, until) in enumerate(((1, "accepted"), (4, "started"), (6, "started")), 40):
        begin(used, until, minute, *_RECOGNITION)
    then(stage, begin(5, "started", 44, *RESEARCH), time.used(4), _ask_expert)
    for minute, used in enumerate((2, 4), 46):
        begin(used, "reviewed", minute, *_RECOGNITION)
    shown = begin(6, "reviewed", 50, *RESEARCH)
    then(stage, shown, time.used(4), _publicise)
    then(stage, shown, time.used(1), _object)
    refused = begin(8, "reviewed", 52, *RESEARCH)
    then(stage, refused, time.used(6), _reject)
    then(stage, refused, time.used(3), _appeal)
    _plan_gap(stage, time.used(2))
    _plan_unsent_draft(stage)
    stage.plan(at(time.end, 15), lambda now: _draft_item(stage, folder, now))


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
    external_id, code = stage.casting.one_of(*RESEARCH, day=day)
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
    external_id, code = stage.casting.one_of("rc-disabled", *RESEARCH, day=day)

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
