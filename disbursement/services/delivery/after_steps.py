"""What an item's way of delivery does after each step of an application: the lane is left where evidence turns out to
be lacking, a promise of time begins and ends.
"""

from __future__ import annotations

from datetime import datetime

from disbursement.domain.delivery import Lane, Obstacle
from disbursement.domain.workflow import ApplicationAction
from disbursement.models import Application, LaneChoice
from disbursement.selectors.delivery import lane_of
from disbursement.services.delivery import time_promises

# After these a lane that presumes complete evidence is left, whoever acted.
_LEAVES = {
    ApplicationAction.ASK_CORRECTION: Obstacle("correction", "材料或填报内容需要补正。"),
    ApplicationAction.ACCEPT_WITH_GAP: Obstacle("gap", "有材料容缺后补。"),
    ApplicationAction.APPEAL: Obstacle("appeal", "已申请复核。"),
    ApplicationAction.SUSTAIN_OBJECTION: Obstacle("objection", "公示异议成立。"),
}


def after_step(*, application: Application, action: ApplicationAction, now: datetime) -> None:
    """In the transition's own transaction, once the state has changed."""
    if (reason := _LEAVES.get(action)) is not None:
        _leave(application=application, reason=reason, now=now)
    time_promises.follow(application=application, action=action, now=now)


def _leave(*, application: Application, reason: Obstacle, now: datetime) -> None:
    """Off the fast lane. A clock that runs keeps its limit, because it was promised; what starts later starts by the
    ordinary one.
    """
    lane = lane_of(application=application)
    if lane is None or lane.lane != Lane.FAST:
        return
    LaneChoice.objects.create(
        application=application,
        seq=lane.seq + 1,
        mode=lane.mode,
        lane=Lane.ORDINARY.value,
        reasons=[reason.to_json()],
        at=now,
    )
