"""The steps that an item puts between first and second review: a visit on the spot, opinions of other departments.

Which steps, and in which order, is the version's (`matching.review_path`); that each can only be taken where the
application stands is the transition table's. Departments answer side by side, each within its own clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import SYSTEM, Actor
from disbursement.domain.calendar import Calendar
from disbursement.domain.delivery import Lane
from disbursement.domain.errors import REFUSALS, Denied, Fault, Invalid
from disbursement.domain.workflow import ApplicationAction, ApplicationState
from disbursement.models import Application, JointAnswer, JointReview, OpinionKind, SiteVisit, VisitPhoto
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.delivery import lane_of, terms_of
from disbursement.selectors.staff import can_answer
from disbursement.services.application.applications import lock, transition
from disbursement.services.evidence import stored
from disbursement.services.review.standing import asked_departments
from disbursement.services.supervision import clocks
from matching import review_path
from matching.days import day_of
from matching.registry.models import Department
from matching.review_path import PathStep, ReviewPath

MOST_PHOTOS = 20
LONGEST_DAYS = 60
_PICTURES = frozenset({"image/jpeg", "image/png"})


def path_of(*, application: Application) -> ReviewPath:
    """What the version that the application is judged by asks of its review; on the fast lane without the steps that
    the item leaves out there.
    """
    path = review_path.read(application.version.rules)
    terms = terms_of(version=application.version)
    if terms is None or not terms.skips:
        return path
    lane = lane_of(application=application)
    return path.without(terms.skips) if lane is not None and lane.lane == Lane.FAST else path


def taken(*, application: Application) -> frozenset[str]:
    """The kinds of steps that were taken on the application: `expert`, `site_visit`, `joint`."""
    found = set()
    if application.opinions.filter(kind=OpinionKind.EXPERT).exists():
        found.add("expert")
    if application.visits.exists():
        found.add("site_visit")
    given = application.joint_reviews.filter(at__isnull=False).exclude(answer=JointAnswer.RECALLED)
    answered = given.values_list("department__code", flat=True)
    joint = path_of(application=application).step("joint")
    if set(answered) and (joint is None or set(joint.departments) <= set(answered)):
        found.add("joint")
    return frozenset(found)


def check_path(*, application: Application) -> None:
    """Raise Invalid, a fault for each step that the item asks for and nobody has taken yet."""
    path = path_of(application=application)
    if not path.steps:
        return
    text = _("该事项要求的“%(name)s”尚未进行，完成后才能通过。")
    missing = path.missing(taken(application=application))
    if missing:
        raise Invalid([Fault(f"path.{step.kind}", text % {"name": step.name}) for step in missing])


def check_turn(*, application: Application, kind: str) -> None:
    """Raise Invalid where the item puts another step before this one."""
    path = path_of(application=application)
    before = path.before(kind, taken(application=application)) if path.steps else []
    if before:
        text = _("按该事项的办理流程，应先完成“%(name)s”。")
        raise Invalid(Fault("path", text % {"name": before[0].name}))


def arrange_visit(*, application_id: int, note: str, actor: Actor, now: datetime) -> Application:
    """Arrange a visit on the spot (安排现场核查); `note` says when and what for. The clock runs on."""
    if not note.strip():
        raise Invalid(Fault("note", _("请写明核查时间和要核查的内容。")))
    with transition(
        application_id=application_id, action=ApplicationAction.ARRANGE_VISIT, actor=actor, now=now, note=note.strip()
    ) as application:
        check_turn(application=application, kind="site_visit")
    return application


def record_visit(
    *,
    application_id: int,
    visited_on: date,
    place: str,
    visitors: str,
    met: str,
    is_confirmed: bool,
    finding: str,
    actor: Actor,
    now: datetime,
    photos: Sequence[tuple[str, bytes]] = (),
) -> SiteVisit:
    """Put on record who went when and where and what was found (登记现场核查), with photographs as (name, bytes).

    Raises Invalid with everything wrong; two people go at least.
    """
    if len(photos) > MOST_PHOTOS:
        raise Invalid(Fault("photos", _("照片最多 %(most)s 张。") % {"most": MOST_PHOTOS}))
    examined = [stored.examine(content=content, name=name) for name, content in photos]
    if any(found.kind.value not in _PICTURES for found in examined):
        raise Invalid(Fault("photos", _("核查照片只能是 JPG 或 PNG 图片。")))
    with transition(
        application_id=application_id, action=ApplicationAction.RECORD_VISIT, actor=actor, now=now
    ) as application:
        faults = [
            Fault(name, _("请填写%(label)s。") % {"label": label})
            for name, value, label in (
                ("place", place, _("核查地点")),
                ("visitors", visitors, _("核查人员")),
                ("finding", finding, _("核查情况")),
            )
            if not value.strip()
        ]
        if visitors.strip() and len(review_path.codes_of(visitors)) < 2:
            faults.append(Fault("visitors", _("现场核查应由两人以上进行，请填写全部核查人员，用顿号或空格隔开。")))
        accepted = application.accepted_at
        if visited_on > day_of(now) or (accepted is not None and visited_on < day_of(accepted)):
            faults.append(Fault("visited_on", _("核查日期应在受理之日至今天之间。")))
        if faults:
            raise Invalid(faults)
        assert actor.user_id is not None
        visit = SiteVisit.objects.create(
            application=application,
            visited_on=visited_on,
            place=place.strip(),
            visitors="、".join(review_path.codes_of(visitors)),
            met=met.strip(),
            is_confirmed=is_confirmed,
            finding=finding.strip(),
            recorded_by_id=actor.user_id,
            recorded_at=now,
        )
        for found in examined:
            row = stored.keep(examined=found, now=now)
            VisitPhoto.objects.get_or_create(visit=visit, stored=row, defaults={"name": found.name})
    return visit


def ask_departments(
    *,
    application_id: int,
    question: str,
    actor: Actor,
    now: datetime,
    department_ids: Sequence[int] = (),
    days: int | None = None,
) -> list[JointReview]:
    """Ask other departments for their opinions, all at once (提请部门会审): the review's clock stands still and each
    department's begins.

    The item's departments and limit; where it names none, `department_ids` and `days` (working days). Silence is
    consent only where the item says so.
    """
    if not question.strip():
        raise Invalid(Fault("question", _("请写明需要会审部门核对的内容。")))
    with transition(
        application_id=application_id, action=ApplicationAction.ASK_DEPARTMENTS, actor=actor, now=now, note=question
    ) as application:
        check_turn(application=application, kind="joint")
        step = path_of(application=application).step("joint")
        departments, limit = _whom(application=application, step=step, department_ids=department_ids, days=days)
        earlier = application.joint_reviews.order_by("-round").values_list("round", flat=True).first() or 0
        assert actor.user_id is not None
        asked = JointReview.objects.bulk_create(
            JointReview(
                application=application,
                round=earlier + 1,
                department=department,
                question=question.strip(),
                limit=limit,
                silence_consents=step is not None and step.silence_consents,
                asked_by_id=actor.user_id,
                asked_at=now,
            )
            for department in departments
        )
        for department in departments:
            clocks.start_joint(application=application, department_id=department.pk, limit=limit, now=now)
    return asked


def _whom(
    *, application: Application, step: PathStep | None, department_ids: Sequence[int], days: int | None
) -> tuple[list[Department], int]:
    own = application.item.department_id
    if step is not None:
        found = list(Department.objects.filter(code__in=step.departments).exclude(pk=own).order_by("code"))
        limit = step.days or review_path.JOINT_DAYS
        if days is not None and days > limit:
            raise Invalid(Fault("days", _("该事项规定会审时限为 %(days)s 个工作日，不能延长。") % {"days": limit}))
        limit = days or limit
    else:
        found = list(Department.objects.filter(pk__in=department_ids).exclude(pk=own).order_by("code"))
        limit = days or review_path.JOINT_DAYS
    if not found:
        raise Invalid(Fault("department_ids", _("请选择参加会审的部门（本部门除外）。")))
    mute = [department.name for department in found if not can_answer(department_id=department.pk)]
    if mute:
        text = _("%(names)s还没有审核人员，无人能出具会审意见。请先由系统管理员为其设置审核人员，或者改选其他部门。")
        raise Invalid(Fault("department_ids", text % {"names": "、".join(mute)}))
    if not 1 <= limit <= LONGEST_DAYS:
        raise Invalid(Fault("days", _("会审时限应为 1 至 %(most)s 个工作日。") % {"most": LONGEST_DAYS}))
    return found, limit


def give_opinion(*, application_id: int, agrees: bool, text: str, actor: Actor, now: datetime) -> JointReview:
    """A department gives its opinion (出具会审意见), by a reviewer of its own; the last one takes the review on.

    Raises Invalid without a text, Denied where the person's departments were not asked, or have answered.
    """
    if not text.strip():
        raise Invalid(Fault("text", _("请写明会审意见；不同意的，写明理由。")))
    with transaction.atomic():
        with transition(
            application_id=application_id,
            action=ApplicationAction.GIVE_OPINION,
            actor=actor,
            now=now,
            note=text.strip(),
        ) as application:
            review = next(iter(asked_departments(application=application, actor=actor)), None)
            if review is None:
                raise Denied(_("您所在的部门没有需要出具的会审意见。"))
            review.answer = JointAnswer.AGREE if agrees else JointAnswer.DISAGREE
            review.text, review.by_id, review.at = text.strip(), actor.user_id, now
            review.save(update_fields=["answer", "text", "by", "at"])
            clocks.stop_joint(
                application=application, department_id=review.department_id, now=now, holder_id=actor.user_id
            )
        gather(application=application, now=now)
    return review


def gather(*, application: Application, now: datetime) -> bool:
    """Take the review on once every department has answered; whether it has."""
    if application.joint_reviews.filter(at__isnull=True).exists():
        return False
    latest = application.joint_reviews.order_by("-round").values_list("round", flat=True).first()
    answers = application.joint_reviews.filter(round=latest or 1).select_related("department")
    note = "；".join(f"{row.department}：{JointAnswer(row.answer).label}" for row in answers.order_by("pk"))
    with transition(
        application_id=application.pk, action=ApplicationAction.GATHER_OPINIONS, actor=SYSTEM, now=now, note=note
    ):
        pass
    return True


def lapse_overdue(*, now: datetime) -> list[int]:
    """Take the silence of departments past their limit for consent where the item says so (逾期视为同意); ids of what
    lapsed. Where it does not, the department's clock draws its cards and the application waits. Can run twice.
    """
    calendar = working_calendar()
    waiting = JointReview.objects.filter(at__isnull=True, silence_consents=True).order_by("pk")
    lapsed = []
    for pk, application_id in list(waiting.values_list("pk", "application_id")):
        try:
            if _lapse(review_id=pk, application_id=application_id, calendar=calendar, now=now):
                lapsed.append(pk)
        except REFUSALS:  # withdrawn meanwhile
            continue
    return lapsed


@transaction.atomic
def _lapse(*, review_id: int, application_id: int, calendar: Calendar, now: datetime) -> bool:
    application = lock(application_id=application_id)
    review = JointReview.objects.get(pk=review_id)
    due = calendar.add_working_days(day_of(review.asked_at), review.limit)
    if review.at is not None or application.status is not ApplicationState.JOINT_REVIEW or day_of(now) <= due:
        return False
    review.answer, review.at = JointAnswer.LAPSED, now
    review.save(update_fields=["answer", "at"])
    clocks.stop_joint(application=application, department_id=review.department_id, now=now)
    gather(application=application, now=now)
    return True
