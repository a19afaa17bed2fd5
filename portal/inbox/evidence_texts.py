"""What messages say of certificates (电子证照库), and of materials whose certificate changed."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.models import EvidenceEvent, EvidenceEventKind, Material, MaterialFlagReason
from disbursement.selectors.forms import material_rules
from matching.days import day_of
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link

_Kind = EvidenceEventKind
# What the enterprise did itself it need not be told.
_OF_DEPARTMENT: dict[str, tuple[str | Promise, str | Promise]] = {
    _Kind.ADDED: (
        gettext_lazy("%(department)s登记了贵企业的“%(kind)s”"),
        gettext_lazy("编号 %(number)s。今后申报需要它时自动取用，不用再交。"),
    ),
    _Kind.REPLACED: (
        gettext_lazy("%(department)s更新了贵企业的“%(kind)s”"),
        gettext_lazy("编号 %(number)s。草稿中的旧版自动换新，已提交的申报仍用提交时的版本。"),
    ),
    _Kind.WITHDRAWN: (
        gettext_lazy("%(department)s停用了贵企业的“%(kind)s”"),
        gettext_lazy("原因：%(note)s。今后的申报不再取用它，正在审核的申报会提示审核人。"),
    ),
}
_BY_ITSELF: dict[str, tuple[str | Promise, str | Promise]] = {
    _Kind.EXPIRING: (
        gettext_lazy("“%(kind)s”将于 %(until)s 到期"),
        gettext_lazy("还有 %(left)s 天。请在证照库中换成新版，正在填写的申报会自动取用。"),
    ),
    _Kind.EXPIRED: (
        gettext_lazy("“%(kind)s”已于 %(until)s 到期"),
        gettext_lazy("今后的申报不再取用它。请在证照库中换成新版。"),
    ),
    _Kind.INFECTED: (
        gettext_lazy("“%(kind)s”的文件查出病毒"),
        gettext_lazy("发现 %(note)s，文件已停止使用。请在电脑上查杀病毒，从原始来源重新导出后换成新版。"),
    ),
    _Kind.CLEARED: (gettext_lazy("“%(kind)s”的文件查毒通过"), gettext_lazy("申报需要它时自动取用。")),
}
_CHANGED: dict[str, tuple[str | Promise, str | Promise]] = {
    "refreshed": (
        gettext_lazy("《%(item)s》草稿中的“%(material)s”已换成新版"),
        gettext_lazy("%(why)s，草稿自动取用了证照库中有效的版本。"),
    ),
    "dropped": (
        gettext_lazy("《%(item)s》草稿中的“%(material)s”不能再用"),
        gettext_lazy("%(why)s，已从草稿中移除。请重新提交这份材料。"),
    ),
    "flagged": (
        gettext_lazy("《%(item)s》申报用到的“%(material)s”有变动"),
        gettext_lazy("%(why)s。申报仍以提交时的文件办理，需要更换时主管部门会通知补正。"),
    ),
}


def of_event(*, event_id: int, now: datetime) -> Message | None:
    """What happened to a certificate; None for what the enterprise did itself."""
    event = EvidenceEvent.objects.select_related("version__evidence__department").get(pk=event_id)
    version, evidence = event.version, event.version.evidence
    words = _BY_ITSELF.get(event.kind) or (_OF_DEPARTMENT.get(event.kind) if evidence.department else None)
    if words is None:
        return None
    until = version.valid_until
    names = {
        "department": evidence.department or "",
        "kind": evidence.kind_name,
        "number": version.number or _("（无）"),
        "note": event.note,
        "until": "" if until is None else until.isoformat(),
        "left": "" if until is None else max(0, (until - day_of(now)).days),
    }
    title, body = words
    return Message(
        key=f"evidence:{event.pk}",
        kind=NotificationKind.SERVICE,
        title=str(title) % names,
        body=str(body) % names,
        link=link("enterprise:certificate", evidence.pk),
        enterprise_id=evidence.enterprise_id,
        department_id=evidence.department_id,
    )


def of_material(*, application_id: int, material_id: int, what: str, reason: str) -> Iterator[Message]:
    """A material's certificate changed: for the enterprise, and under review for whoever handles the application."""
    material = Material.objects.select_related("application__item", "application__version").get(pk=material_id)
    application = material.application
    rules = {rule.code: rule.name for rule in material_rules(version=application.version)}
    names = {
        "item": application.item.name,
        "material": rules.get(material.code, material.name),
        "why": MaterialFlagReason(reason).label,
    }
    title, body = _CHANGED[what]
    key = f"material:{material.pk}:{what}:{reason}"
    page = "enterprise:application" if what == "flagged" else "enterprise:materials"
    yield Message(
        key=key,
        kind=NotificationKind.APPLICATION,
        title=str(title) % names,
        body=str(body) % names,
        link=link(page, application_id),
        enterprise_id=application.enterprise_id,
        item_id=application.item_id,
        department_id=application.item.department_id,
    )
    if what == "flagged" and application.handler_id is not None:
        yield Message(
            key=f"{key}:handler",
            kind=NotificationKind.APPLICATION,
            title=_("%(number)s 的“%(material)s”有变动") % {**names, "number": application.number},
            body=_("%(why)s。影响审核的，请要求补正；不影响的，请在申报页面写明理由。") % names,
            link=link("desk:application", application_id),
            user_id=application.handler_id,
            item_id=application.item_id,
        )
