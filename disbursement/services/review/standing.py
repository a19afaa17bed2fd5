"""How a person stands to an application: what they may see, the roles they hold there, what bars them.

Only `services.application.applications` acts on it; others ask `may_see`, `roles_for` and `stands_in_for`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict, Deed, check_person
from disbursement.domain.errors import Denied
from disbursement.domain.workflow import APPLICATION, ApplicationAction, ApplicationState, Role, Transition
from disbursement.models import (
    Application,
    Handover,
    HandoverKind,
    InterestDeclaration,
    JointReview,
    Material,
    Participation,
    TransitionLog,
)

# States in which the application waits for someone else while the same member of staff keeps it.
# A publicity is none of them: a second reviewer has things to do in it and keeps it, who decides on an appeal has not.
_KEPT = frozenset(
    {
        ApplicationState.CORRECTION,
        ApplicationState.REVIEW_CORRECTION,
        ApplicationState.EXPERT,
        ApplicationState.JOINT_REVIEW,
    }
)

# Who acts without taking the application on their own desk.
BESIDE_THE_DESK = frozenset({Role.ENTERPRISE, Role.SYSTEM, Role.JOINT_REVIEWER})


def stays_on_desk(*, target: ApplicationState, role: Role) -> bool:
    """Whether who led it to this state, in this role, keeps it on the desk."""
    return target in _KEPT or bool(APPLICATION.actions(target, role))


def may_see(*, application: Application, actor: Actor) -> bool:
    """Whether the application is any of this person's business: their enterprise's, their department's, or one on which
    their department was asked for its opinion.
    """
    if actor.is_system or actor.acts_for(application.enterprise_id):
        return True
    if any(grant.department_id in (None, application.item.department_id) for grant in actor.grants):
        return True
    asked = application.joint_reviews.filter(department_id__in=[g.department_id for g in actor.grants])
    return bool(actor.grants) and asked.exists()


def roles_for(*, application: Application, actor: Actor) -> frozenset[Role]:
    """The roles in which this person could act on the application, conflicts aside."""
    department_id = application.item.department_id
    if actor.is_system:
        return frozenset({Role.SYSTEM})
    held = {role for role in Role if role is not Role.SYSTEM and actor.holds(role, department_id=department_id)}
    held.discard(Role.ENTERPRISE)
    if actor.acts_for(application.enterprise_id):
        held.add(Role.ENTERPRISE)
    if Role.SECOND_REVIEWER in held:
        # An appeal goes to another second reviewer: no grant of its own is needed, taking part before is excluded.
        held.add(Role.APPEAL_REVIEWER)
    held.discard(Role.JOINT_REVIEWER)
    if application.status is ApplicationState.JOINT_REVIEW and asked_departments(application=application, actor=actor):
        held.add(Role.JOINT_REVIEWER)
    return frozenset(held)


def asked_departments(*, application: Application, actor: Actor) -> list[JointReview]:
    """What this person may answer for their departments, still open: a department speaks by its own reviewers, never
    by those of the whole district.
    """
    places = [grant.department_id for grant in actor.grants if grant.role is Role.REVIEWER and grant.department_id]
    if not places:
        return []
    return list(application.joint_reviews.filter(department_id__in=places, at__isnull=True).order_by("pk"))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands to an application: roles held there, the role taken before, an interest declared."""

    application: Application
    actor: Actor
    held: frozenset[Role]
    earlier: Role | None
    interests: frozenset[int]
    # Whom the person stands in for on this application (代理), with what that one did and declared.
    principal_id: int | None = None
    principal_earlier: Role | None = None
    principal_interests: frozenset[int] = frozenset()

    def permit(
        self, action: ApplicationAction, role: Role | None = None
    ) -> tuple[Transition[ApplicationState, ApplicationAction], Role]:
        """The table's row and the role acted in; raises what is in the way."""
        state = self.application.status
        held = self.held if role is None else self.held & {role}
        wanted = next((r.roles for r in APPLICATION if (r.source, r.action) == (state, action)), frozenset())
        fitting = [r for r in Role if r in held and r in wanted]
        if self.earlier in fitting:
            acting = self.earlier
        elif fitting:
            acting = fitting[0]
        else:
            acting = next((r for r in Role if r in held), role or Role.ENTERPRISE)
        row = APPLICATION.find(state, action, acting)
        if not fitting:
            # The table would let this role do it, but the person does not hold it here.
            raise Denied(_("您没有办理这一步的职责。请换由有该职责的人员办理。"))
        self.check(acting)
        return row, acting

    def check(self, role: Role) -> None:
        actor, application = self.actor, self.application
        if actor.user_id is None:
            return
        if role is Role.ENTERPRISE:
            if self.earlier not in (None, role):
                raise Conflict(_("您已以工作人员身份办理过这件申报，不能再以企业身份办理。请由企业其他人员办理。"))
            return
        if self.earlier is Role.ENTERPRISE or actor.acts_for(application.enterprise_id):
            raise Conflict(_("您是这家企业的办理人员，不能以工作人员身份办理它的申报。请由其他人员办理。"))
        check_person(
            person=actor.user_id,
            role=role,
            deeds=[Deed(actor.user_id, self.earlier)] if self.earlier else [],
            interests=self.interests,
            enterprises={application.enterprise_id: application.enterprise.name},
            subject=_("这件申报"),
        )
        self._check_principal(role)

    def _check_principal(self, role: Role) -> None:
        """Standing in for somebody is acting for both: what bars the one bars the other."""
        if self.principal_id is None:
            return
        application = self.application
        try:
            check_person(
                person=self.principal_id,
                role=role,
                deeds=[Deed(self.principal_id, self.principal_earlier)] if self.principal_earlier else [],
                interests=self.principal_interests,
                enterprises={application.enterprise_id: application.enterprise.name},
                subject=_("这件申报"),
            )
        except Conflict as conflict:
            raise Conflict(_("您代理的人员对这件申报须回避，代理办理同样受限。请改派给其他人员后办理。")) from conflict


@dataclass(frozen=True, slots=True)
class Past:
    """What several people did on one application, and who of them declared an interest in its enterprise."""

    roles: Mapping[int, Role]
    interested: frozenset[int]
    wrote: frozenset[int]


def past_of(*, application: Application, user_ids: Collection[int]) -> Past:
    """Of all these people together: three queries, however many they are."""
    took_part = Participation.objects.filter(application=application, user_id__in=user_ids)
    declared = InterestDeclaration.objects.filter(
        user_id__in=user_ids, enterprise_id=application.enterprise_id, ended_at__isnull=True
    )
    uploaded = Material.objects.filter(application=application, uploaded_by_id__in=user_ids)
    wrote = {pk for pk in uploaded.values_list("uploaded_by_id", flat=True) if pk is not None}
    if application.created_by_id is not None:
        wrote.add(application.created_by_id)
    return Past(
        roles={user_id: Role(role) for user_id, role in took_part.values_list("user_id", "role")},
        interested=frozenset(declared.values_list("user_id", flat=True)),
        wrote=frozenset(wrote),
    )


def standing_of(*, application: Application, actor: Actor, past: Past | None = None) -> Standing:
    """How the person stands to it; who asks of many at once passes what `past_of` read of them all.

    Raises Denied where the application is none of their business.
    """
    if not may_see(application=application, actor=actor):
        raise Denied(_("没有这件申报，或者您无权办理。"))
    held = roles_for(application=application, actor=actor)
    if actor.user_id is None:
        return Standing(application, actor, held, None, frozenset())
    earlier, interests = _past(application=application, user_id=actor.user_id, known=past)
    if earlier is None and actor.grants and _wrote(application=application, user_id=actor.user_id, known=past):
        earlier = Role.ENTERPRISE
    principal = stands_in_for(application=application, user_id=actor.user_id) if actor.grants else None
    if principal is None:
        return Standing(application, actor, held, earlier, interests)
    his, declared = _past(application=application, user_id=principal)
    return Standing(application, actor, held, earlier, interests, principal, his, declared)


def _past(*, application: Application, user_id: int, known: Past | None = None) -> tuple[Role | None, frozenset[int]]:
    """The role that a person took on the application, and the enterprise where they declared an interest in it."""
    if known is not None:
        enterprises = {application.enterprise_id} if user_id in known.interested else set()
        return known.roles.get(user_id), frozenset(enterprises)
    roles = Participation.objects.filter(application=application, user_id=user_id).values_list("role", flat=True)
    declared = InterestDeclaration.objects.filter(
        user_id=user_id, enterprise_id=application.enterprise_id, ended_at__isnull=True
    )
    earlier = next((Role(role) for role in roles), None)
    return earlier, frozenset(declared.values_list("enterprise_id", flat=True))


def stands_in_for(*, application: Application, user_id: int) -> int | None:
    """The person in whose place this one has the application on the desk (代理), if so."""
    if application.handler_id != user_id:
        return None
    loan = loans(application_ids=[application.pk]).get(application.pk)
    return None if loan is None or loan.taker_id != user_id else loan.giver_id


def loans(*, application_ids: Collection[int]) -> dict[int, Handover]:
    """Which of them lie on a deputy's desk in somebody's place now (代理), with the row by which each came there.

    What has left that desk since is not lent, not even where the deputy takes it up again: that is work of their own.
    At most two queries.
    """
    rows = Handover.objects.filter(application_id__in=application_ids).select_related("giver", "application")
    last = {row.application_id: row for row in rows.order_by("pk")}
    lent = {
        pk: row
        for pk, row in last.items()
        if row.kind == HandoverKind.DEPUTISED and row.taker_id == row.application.handler_id
    }
    if not lent:
        return {}
    steps = TransitionLog.objects.filter(application_id__in=lent).values_list("application_id", "role", "target", "at")
    for application_id, role, target, at in steps:
        row = lent.get(application_id)
        if row is None or at <= row.at or Role(role) in BESIDE_THE_DESK:
            continue
        if not stays_on_desk(target=ApplicationState(target), role=Role(role)):
            del lent[application_id]
    return lent


def _wrote(*, application: Application, user_id: int, known: Past | None = None) -> bool:
    """Whether the person began the application or handed in materials for it, as an agent then, and never submitted."""
    if known is not None:
        return user_id in known.wrote
    return (
        application.created_by_id == user_id
        or Material.objects.filter(application=application, uploaded_by_id=user_id).exists()
    )
