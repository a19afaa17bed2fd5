"""Taking back what was begun and cannot be gone through with: a request to departments or to experts, a visit."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Fault, Invalid
from disbursement.domain.workflow import ApplicationAction
from disbursement.models import Application, JointAnswer, JointReview
from disbursement.services.application.applications import transition
from disbursement.services.review import steps
from disbursement.services.supervision import clocks


def recall_request(*, application_id: int, text: str, actor: Actor, now: datetime) -> list[JointReview]:
    """Take back every request that is still open (撤回会审), and go on with the opinions that came; the review's clock
    runs again. A step that the item asks for stays to be taken. Raises Invalid without a reason.
    """
    reason = text.strip()
    if not reason:
        raise Invalid(Fault("text", _("请写明撤回会审的原因。")))
    with transaction.atomic():
        with transition(
            application_id=application_id,
            action=ApplicationAction.RECALL_REQUEST,
            actor=actor,
            now=now,
            note=reason,
        ) as application:
            open_ones = list(application.joint_reviews.filter(at__isnull=True).order_by("pk"))
            for review in open_ones:
                review.answer, review.text = JointAnswer.RECALLED, reason
                review.by_id, review.at = actor.user_id, now
                review.save(update_fields=["answer", "text", "by", "at"])
                clocks.stop_joint(application=application, department_id=review.department_id, now=now)
        steps.gather(application=application, now=now)
    return open_ones


def cancel_visit(*, application_id: int, text: str, actor: Actor, now: datetime) -> Application:
    """Call off an arranged visit (取消现场核查); the enterprise is told. Raises Invalid without a reason."""
    return _cancel(ApplicationAction.CANCEL_VISIT, application_id=application_id, text=text, actor=actor, now=now)


def cancel_expert(*, application_id: int, text: str, actor: Actor, now: datetime) -> Application:
    """Ask no experts after all (取消专家评审): it was a mistake, or none without an interest can be found. The review's
    clock runs again, the enterprise is told; where the item asks for experts, they stay to be asked. Raises Invalid
    without a reason.
    """
    return _cancel(ApplicationAction.CANCEL_EXPERT, application_id=application_id, text=text, actor=actor, now=now)


def _cancel(action: ApplicationAction, *, application_id: int, text: str, actor: Actor, now: datetime) -> Application:
    if not text.strip():
        raise Invalid(Fault("text", _("请写明%(what)s的原因。") % {"what": action.label}))
    with transition(
        application_id=application_id, action=action, actor=actor, now=now, note=text.strip()
    ) as application:
        pass
    return application
