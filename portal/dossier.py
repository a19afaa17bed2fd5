"""All that the pages tell of one application, read in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from disbursement.domain import clocks
from disbursement.domain.workflow import ApplicationAction, ApplicationState, ClockStep, Role
from disbursement.models import (
    Appeal,
    Application,
    Award,
    Correction,
    Decision,
    Document,
    Handover,
    JointReview,
    Judgement,
    LaneChoice,
    MachineVerification,
    Opinion,
    Payable,
    PayForecast,
    Publicity,
    Rating,
    SiteVisit,
    StepClock,
    TimePromise,
    TransitionLog,
)
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.delivery import lane_of
from portal import pay_story

_S = ApplicationState
_REVIEW = frozenset(
    {
        _S.ACCEPTED,
        _S.IN_REVIEW,
        _S.REVIEW_CORRECTION,
        _S.EXPERT,
        _S.SITE_VISIT,
        _S.JOINT_REVIEW,
        _S.SECOND_REVIEW,
    }
)
# The way as the enterprise sees it: four steps, and the states in which each is being walked.
STAGES: tuple[tuple[str, frozenset[ApplicationState]], ...] = (
    ("受理", frozenset({_S.SUBMITTED, _S.CORRECTION, _S.NOT_ACCEPTED})),
    ("审核", _REVIEW),
    ("公示与决定", frozenset({_S.PUBLICITY, _S.REJECTED, _S.APPEAL, _S.REJECTION_UPHELD, _S.REVOKED})),
    ("兑现", frozenset({_S.APPROVED})),
    ("办结", frozenset({_S.CLOSED})),
)

# The steps whose words are meant for the enterprise. An opinion that prepares a decision is not (内部意见): what is in
# no line here is told as having happened, without a word of it, so a step that is added is silent until it is put here.
_A = ApplicationAction
_WORDS_TOLD = frozenset(
    {
        _A.ACCEPT,
        _A.ACCEPT_WITH_GAP,
        _A.ASK_CORRECTION,
        _A.LAPSE,
        _A.ARRANGE_VISIT,
        _A.CANCEL_VISIT,
        _A.CANCEL_EXPERT,
        _A.PUBLICISE,
        _A.SUSTAIN_OBJECTION,
        _A.APPROVE,
        _A.UPHOLD,
    }
)
# Steps whose very name gives an opinion away.
_NEUTRAL: dict[ApplicationAction, str | Promise] = {
    _A.RECOMMEND_APPROVAL: _("审核完毕，提交复审"),
    _A.RECOMMEND_REJECTION: _("审核完毕，提交复审"),
    _A.SEND_BACK: _("继续审核"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One step of the way as the enterprise reads it: in other words where the desk's would give an opinion away."""

    row: TransitionLog
    label: str | Promise
    note: str


def told_to_enterprise(row: TransitionLog) -> Told:
    """What the enterprise may read of one step: its own words, and those that were written for it."""
    action = ApplicationAction(row.action)
    machine = row.role == Role.SYSTEM and action is not _A.GATHER_OPINIONS
    heard = row.role == Role.ENTERPRISE or machine or action in _WORDS_TOLD
    return Told(row, _NEUTRAL.get(action, row.get_action_display()), row.note if heard else "")


@dataclass(frozen=True, slots=True)
class StepReading:
    """One clock as it stands: which step, and what it shows."""

    clock: StepClock
    reading: clocks.Reading

    @property
    def label(self) -> str:
        label = ClockStep(self.clock.step).label
        return f"{label}（{self.clock.department}）" if self.clock.step == ClockStep.JOINT else label

    @property
    def percent(self) -> int:
        """How full the meter is; never past the brim."""
        return min(100, self.reading.used * 100 // self.reading.limit)


@dataclass
class Dossier:
    """One application with everything that belongs to it, as of a day in Asia/Shanghai."""

    application: Application
    as_of: date

    @cached_property
    def log(self) -> list[TransitionLog]:
        return list(self.application.log.select_related("actor", "for_person").order_by("-seq"))

    @property
    def told(self) -> list[Told]:
        """The way as the enterprise may read it, the latest step first."""
        return [told_to_enterprise(row) for row in self.log]

    @cached_property
    def steps(self) -> list[StepReading]:
        calendar = working_calendar()
        rows = self.application.clocks.select_related("department", "holder").prefetch_related("pauses").order_by("pk")
        return [
            StepReading(row, clocks.read(row.as_clock(row.pauses.all()), as_of=self.as_of, calendar=calendar))
            for row in rows
        ]

    @cached_property
    def running(self) -> StepReading | None:
        return next((step for step in self.steps if step.reading.running), None)

    @cached_property
    def corrections(self) -> list[Correction]:
        rows = self.application.corrections.prefetch_related("items").select_related("asked_by").order_by("-pk")
        return list(rows)

    @cached_property
    def open_correction(self) -> Correction | None:
        return next((row for row in self.corrections if row.is_open), None)

    @cached_property
    def decisions(self) -> list[Decision]:
        return list(self.application.decisions.select_related("by").order_by("-pk"))

    @cached_property
    def opinions(self) -> list[Opinion]:
        return list(
            self.application.opinions.select_related("by").prefetch_related("experts", "papers__stored").order_by("-pk")
        )

    @cached_property
    def visits(self) -> list[SiteVisit]:
        rows = self.application.visits.select_related("recorded_by").prefetch_related("photos__stored")
        return list(rows.order_by("-pk"))

    @cached_property
    def joint_reviews(self) -> list[JointReview]:
        return list(self.application.joint_reviews.select_related("department", "by").order_by("-round", "pk"))

    @cached_property
    def handovers(self) -> list[Handover]:
        return list(self.application.handovers.select_related("giver", "taker", "by").order_by("-pk"))

    @cached_property
    def publicities(self) -> list[Publicity]:
        return list(self.application.publicities.prefetch_related("objections").order_by("-pk"))

    @cached_property
    def judgement(self) -> Judgement | None:
        return self.application.judgements.order_by("-pk").first()

    @cached_property
    def award(self) -> Award | None:
        return Award.objects.filter(application=self.application).first()

    @cached_property
    def payables(self) -> list[Payable]:
        return list(
            self.application.payables.select_related("budget_line").prefetch_related("attempts").order_by("number")
        )

    @cached_property
    def pay_forecasts(self) -> list[PayForecast]:
        """Every forecast that was kept, the oldest first."""
        return list(PayForecast.objects.filter(application=self.application).order_by("at", "pk"))

    @cached_property
    def pay_lines(self) -> list[pay_story.Line]:
        return pay_story.lines(forecasts=self.pay_forecasts, payables=self.payables)

    @cached_property
    def moves(self) -> list[PayForecast]:
        """The forecasts that moved a month, the latest first."""
        return [row for row in reversed(self.pay_forecasts) if row.has_moved]

    @cached_property
    def keep_by(self) -> date | None:
        """The last day to hand in what is asked for without losing a month."""
        if self.open_correction is None or not self.pay_lines:
            return None
        return pay_story.keep_by(application=self.application, as_of=self.as_of)

    @cached_property
    def lane(self) -> LaneChoice | None:
        return lane_of(application=self.application)

    @cached_property
    def verification(self) -> MachineVerification | None:
        return MachineVerification.objects.filter(application=self.application).first()

    @cached_property
    def time_promise(self) -> TimePromise | None:
        return TimePromise.objects.filter(application=self.application).first()

    @property
    def promised_day(self) -> date | None:
        """The last day of an open promise (限时即享), as the pauses stand; None while its clock stands still."""
        review = next((step for step in self.steps if step.clock.step == ClockStep.REVIEW), None)
        return None if review is None else review.reading.due

    @cached_property
    def documents(self) -> list[Document]:
        return list(self.application.documents.defer("content").order_by("-issued_at", "-pk"))

    @cached_property
    def appeal(self) -> Appeal | None:
        return Appeal.objects.filter(application=self.application).select_related("filed_by").first()

    @cached_property
    def rating(self) -> Rating | None:
        return Rating.objects.filter(application=self.application).select_related("rectification").first()

    @property
    def stages(self) -> list[tuple[str, str]]:
        """(label, CSS class) of the steps of the way."""
        status = self.application.status
        now = next((index for index, (_label, states) in enumerate(STAGES) if status in states), -1)
        if status is _S.CLOSED:
            now = len(STAGES)
        return [
            (label, "is-done" if index < now else "is-now" if index == now else "")
            for index, (label, _states) in enumerate(STAGES)
        ]
