"""Interests that staff declare in enterprises (利益关系申报): while one lasts, its holder takes no part there."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.models import InterestDeclaration, Participation, Payable, PayeeAccount
from matching.models import Enterprise


def concerned(*, actor: Actor) -> set[int]:
    """Enterprises (ids) of which the person has to keep away: an interest declared, or acting for them."""
    if actor.user_id is None:
        return set()
    declared = InterestDeclaration.objects.filter(user_id=actor.user_id, ended_at__isnull=True)
    return {*declared.values_list("enterprise_id", flat=True), *actor.enterprise_ids}


def keep_away(*, actor: Actor, enterprise: Enterprise, subject: str) -> None:
    """Raise Conflict where the person has to keep away from the enterprise."""
    if enterprise.pk in concerned(actor=actor):
        text = _("您与%(name)s存在利益关系或是其办理人员，须回避%(subject)s。请由其他人员办理。")
        raise Conflict(text % {"name": enterprise.name, "subject": subject})


def keep_past_away(*, actor: Actor, payable: Payable) -> None:
    """Raise Conflict where the person handled the payable's application, or once entered an account of its enterprise:
    who asked for money does not pay it, whatever they are today.
    """
    part = Participation.objects.filter(user_id=actor.user_id or 0, application=payable.application_id).first()
    if part is not None:
        text = _("您已以“%(role)s”身份办理过这件申报，不能再办理它的款项。请由其他人员办理。")
        raise Conflict(text % {"role": part.get_role_display()})
    if PayeeAccount.objects.filter(enterprise=payable.enterprise_id, proposed_by_id=actor.user_id or 0).exists():
        text = _("您曾为%(name)s登记过收款账户，不能再办理它的款项。请由其他人员办理。")
        raise Conflict(text % {"name": payable.enterprise.name})


@transaction.atomic
def declare(*, enterprise_id: int, reason: str, actor: Actor, now: datetime) -> InterestDeclaration:
    """A person declares an interest of their own; declared again while it lasts, it stays as it is."""
    if actor.user_id is None or not actor.grants:
        raise Denied(_("只有工作人员需要申报利益关系。"))
    if not reason.strip():
        raise Invalid(Fault("reason", _("请写明利益关系，例如“配偶任职”。")))
    enterprise = Enterprise.objects.select_for_update(no_key=True).filter(pk=enterprise_id).first()
    if enterprise is None:
        raise Denied(_("没有这家企业。"))
    alive, _is_new = InterestDeclaration.objects.get_or_create(
        user_id=actor.user_id,
        enterprise=enterprise,
        ended_at=None,
        defaults={"reason": reason.strip(), "declared_at": now},
    )
    return alive


@transaction.atomic
def end(*, declaration_id: int, actor: Actor, now: datetime) -> InterestDeclaration:
    """The interest is no more; only its holder says so."""
    declaration = InterestDeclaration.objects.select_for_update(of=("self",)).filter(pk=declaration_id).first()
    if declaration is None or declaration.user_id != actor.user_id:
        raise Denied(_("没有这项申报，或者不是您本人的申报。"))
    if declaration.ended_at is None:
        declaration.ended_at = now
        declaration.save(update_fields=["ended_at"])
    return declaration
