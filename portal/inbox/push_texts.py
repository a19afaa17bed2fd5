"""What messages say of a policy that fits, and why. Thousands are written at once: what pushes have in common (item,
version, verdict, cause) is put into words once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from matching import bulk
from matching.models import PolicyVersion, Push, PushCause, Verdict
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link

_CAUSES = {
    PushCause.POLICY: gettext_lazy("政策新发布或有调整。"),
    PushCause.PROFILE: gettext_lazy("贵企业的信息有更新。"),
    PushCause.DATE: gettext_lazy("随日期推移，条件或受理期已满足。"),
}


@dataclass(frozen=True, slots=True)
class _Frame:
    """What messages of one kind share: the reasons stand between `before` and `after`."""

    title: str
    before: str
    after: str
    link: str
    item_id: int
    department_id: int


def of_pushes(*, push_ids: Sequence[int]) -> Iterator[Message]:
    """Items that fit, with the reasons as they were found."""
    fields = ("pk", "enterprise_id", "version_id", "verdict", "cause", "reason")
    pushes = list(Push.objects.filter(bulk.Among("id", push_ids)).order_by("created_at", "pk").values_list(*fields))
    versions = PolicyVersion.objects.select_related("item__department").in_bulk({push[2] for push in pushes})
    told_first = _first_told({push[1] for push in pushes}, {version.item_id for version in versions.values()})
    frames: dict[tuple[int, str, str, bool], _Frame] = {}
    for pk, enterprise_id, version_id, verdict, cause, reason in pushes:
        version = versions[version_id]
        told_before = told_first[enterprise_id, version.item_id] < version.number
        key = (version_id, verdict, cause, told_before)
        frame = frames.get(key)
        if frame is None:
            frame = frames[key] = _frame(version, verdict, PushCause(cause), told_before=told_before)
        yield Message(
            key=f"push:{pk}",
            kind=NotificationKind.POLICY,
            title=frame.title,
            body=frame.before + "；".join(text.rstrip("。；") for text in reason) + frame.after,
            link=frame.link,
            enterprise_id=enterprise_id,
            item_id=frame.item_id,
            department_id=frame.department_id,
        )


def _first_told(enterprises: set[int], items: set[int]) -> dict[tuple[int, int], int]:
    """The number of the first version of each item of which each enterprise was told."""
    told = Push.objects.filter(bulk.Among("enterprise_id", enterprises), version__item__in=items)
    found = told.values_list("enterprise_id", "version__item_id").annotate(first=Min("version__number"))
    return {(enterprise_id, item_id): first for enterprise_id, item_id, first in found.order_by()}


def _frame(version: PolicyVersion, verdict: str, cause: PushCause, *, told_before: bool) -> _Frame:
    item = version.item
    names = {"item": item.name}
    if verdict == Verdict.UNDETERMINED:
        title = _("《%(item)s》符合贵企业，填报项目信息后即可申报") % names
    elif told_before:
        title = _("《%(item)s》已调整，贵企业仍然符合") % names
    else:
        title = _("《%(item)s》符合贵企业") % names
    after = ["。", str(_CAUSES[cause])]
    if version.window_until is not None:
        after.append(_("受理截止：%(day)s。") % {"day": version.window_until.isoformat()})
    after.append(_("主管部门：%(department)s。") % {"department": item.department.name})
    return _Frame(
        title=title,
        before=_("《%(item)s》符合贵企业：") % names,
        after="".join(after),
        link=link("enterprise:opportunity", item.code),
        item_id=item.pk,
        department_id=item.department_id,
    )
