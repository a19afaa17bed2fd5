"""An item whose review goes further than the desk: a visit on the spot, and the opinions of other departments."""

from __future__ import annotations

from datetime import datetime

from disbursement.models import Application
from disbursement.services.review import steps
from matching.days import day_of
from portal.demo.story import acts, certificates, papers
from portal.demo.story.newcomers import cast, then
from portal.demo.story.stage import Stage
from portal.demo.story.timeline import at

ITEM = "kj-platform"


def plan_steps(stage: Stage) -> None:
    """One application waits for its visit, another for the second of two departments. Where too few enterprises fit the
    item on that day, the story goes on without them.
    """
    visited = cast(stage, (ITEM,), day=stage.time.used(9), minute=54, until="started")
    if visited is not None:
        then(stage, visited, stage.time.used(8), _arrange)
        then(stage, visited, stage.time.used(6), _record)
        then(stage, visited, stage.time.used(5), _ask)
        then(stage, visited, stage.time.used(3), _agree)
    day = stage.time.used(4)
    waiting = cast(stage, (ITEM,), day=day, minute=56, until="started")
    if waiting is not None:
        who, _item = waiting
        stage.plan(
            at(stage.time.before(day, 1), 17),
            lambda now: certificates.keep(stage, who, "audit-report", now=now, until=None),
        )
        then(stage, waiting, stage.time.used(3), _arrange)
        # Its certificate changes while it is reviewed: the reviewer has to say why it may stay, or ask for the new one.
        stage.plan(at(stage.time.used(1), 17), lambda now: certificates.renew(stage, who, "audit-report", now))


def _arrange(stage: Stage, application_id: int, now: datetime) -> None:
    steps.arrange_visit(
        application_id=application_id,
        note="后天上午 9 时 30 分到研发场地，核对设备清单和研发人员在岗情况。",
        actor=stage.staff(acts.reviewer_of(application_id)),
        now=now,
    )


def _record(stage: Stage, application_id: int, now: datetime) -> None:
    application = Application.objects.select_related("enterprise").get(pk=application_id)
    photo = papers.jpeg(title="现场照片", lines=[application.enterprise.name, "研发场地与主要设备（演示）"])
    steps.record_visit(
        application_id=application_id,
        visited_on=day_of(now),
        place="企业研发场地",
        visitors="李初审、刘工（街道办）",
        met="研发部负责人",
        is_confirmed=True,
        finding="三坐标测量机、环境试验箱与清单及铭牌一致，研发人员在岗，开放共享时间已公示。",
        photos=[("研发场地.jpg", photo)],
        actor=stage.staff(acts.reviewer_of(application_id)),
        now=now,
    )


def _ask(stage: Stage, application_id: int, now: datetime) -> None:
    steps.ask_departments(
        application_id=application_id,
        question="请核对该企业的研发平台是否已享受市级以上同类资金，是否有不宜支持的情形。",
        actor=stage.staff(acts.reviewer_of(application_id)),
        now=now,
    )


def _agree(stage: Stage, application_id: int, now: datetime) -> None:
    steps.give_opinion(
        application_id=application_id,
        agrees=True,
        text="经查，该平台未享受我局及市级同类资金，同意支持。",
        actor=stage.staff("joint2"),
        now=now,
    )
