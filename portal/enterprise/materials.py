"""The materials of an application as pages show them, and what a page sends for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, Material, MaterialFlag, Promise, ScanState, StoredFile
from disbursement.selectors.evidence import Verified, usable, verified_by_data
from disbursement.selectors.forms import material_rules
from disbursement.services.application import judging, materials
from disbursement.services.evidence import stored
from matching.days import day_of
from portal.accounts.access import enterprise_actor
from portal.forms import typed
from portal.refusals import attempt


@dataclass(frozen=True, slots=True)
class File:
    """One file of a material, with what its scan and its certificate say."""

    material: Material
    scan: str
    flags: tuple[MaterialFlag, ...]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.material, name)

    @property
    def is_waiting(self) -> bool:
        return self.scan == ScanState.WAITING

    @property
    def is_infected(self) -> bool:
        return self.scan == ScanState.INFECTED


def material_rows(application: Application) -> list[dict[str, Any]]:
    """Each material of the item with the files, the promise, the gap and the data that stand for it.

    `verified`: the facts that make a paper needless (数据核验). `old_promise`: signed in words that are not offered any
    more. `offers`: certificates of the library that may be handed in and are not. `flagged`: the files, and those taken
    out whose flag is open. In a fixed number of queries.
    """
    day = day_of(application.submitted_at or timezone.now())
    rules = material_rules(version=application.version)
    files = _files(application)
    promises = {promise.material_code: promise for promise in Promise.objects.filter(application=application)}
    gaps = {gap.material_code: gap for gap in application.gaps.all()}
    verified = _verified(application, day)
    offers = usable(
        enterprise_id=application.enterprise_id, day=day_of(timezone.now()), kinds=[rule.code for rule in rules]
    )
    rows = []
    for rule in rules:
        flagged = files.get(rule.code, [])
        there = [file for file in flagged if file.material.replaced_at is None]
        taken = {file.material.sha256 for file in there}
        facts, signed, gap = verified.get(rule.code, []), promises.get(rule.code), gaps.get(rule.code)
        promise = signed if signed is not None and signed.text == rule.promise else None
        rows.append(
            {
                "rule": rule,
                "files": there,
                "flagged": flagged,
                "promise": promise,
                "old_promise": signed if promise is None else None,
                "gap": gap,
                "gap_waits": gap is not None and gap.filled_at is None and application.status in materials.GAP_WAITS,
                "verified": facts,
                "offers": [e for e in offers.get(rule.code, []) if e.version.stored.sha256 not in taken],
                "missing": rule.required and rule.is_brought and not (facts or there or promise),
            }
        )
    return rows


def _files(application: Application) -> dict[str, list[File]]:
    unsettled = MaterialFlag.objects.filter(material=OuterRef("pk"), settled_at__isnull=True)
    found = list(
        Material.objects.filter(Q(replaced_at__isnull=True) | Exists(unsettled), application=application)
        .select_related("evidence_version__evidence__department")
        .prefetch_related("flags__settled_by")
    )
    scans = dict(
        StoredFile.objects.filter(sha256__in={material.sha256 for material in found}).values_list("sha256", "scan")
    )
    by_code: dict[str, list[File]] = {}
    for material in found:
        file = File(material, scans.get(material.sha256, ScanState.NONE.value), tuple(material.flags.all()))
        by_code.setdefault(material.code, []).append(file)
    return by_code


def _verified(application: Application, day: date) -> dict[str, list[Verified]]:
    rules = judging.rules_of(version=application.version, now=timezone.now())
    return verified_by_data(version=application.version, rules=rules, enterprise_id=application.enterprise_id, day=day)


def take_material(request: HttpRequest, application: Application) -> None:
    """Do what a page asks for one material: sign its promise, take it from the library, or upload files."""
    code = typed(request.POST, "code", most=80)
    actor, now = enterprise_actor(request), timezone.now()
    if "promise" in request.POST:
        attempt(
            request,
            lambda: materials.sign_promise(application_id=application.pk, code=code, actor=actor, now=now),
            done=_("已签署承诺。"),
        )
        return
    if "version" in request.POST:
        chosen = typed(request.POST, "version", most=18)
        attempt(
            request,
            lambda: materials.take_from_library(
                application_id=application.pk,
                version_id=int(chosen) if chosen.isascii() and chosen.isdigit() else 0,
                actor=actor,
                now=now,
            ),
            done=_("已从证照库取用。"),
        )
        return
    uploads = request.FILES.getlist("file")
    if not uploads:
        messages.error(request, _("请先选择要上传的文件。"))
    for upload in uploads:
        if upload.size is not None and upload.size > stored.LARGEST:
            messages.error(request, _("“%(name)s”超过 20 MB，请压缩或拆分后上传。") % {"name": upload.name})
            continue
        attempt(
            request,
            lambda upload=upload: materials.upload(  # type: ignore[misc]
                application_id=application.pk,
                code=code,
                name=upload.name or "",
                content=upload.read(),
                actor=actor,
                now=now,
            ),
            done=_("已上传“%(name)s”。") % {"name": upload.name},
        )


def page_of(application: Application) -> str:
    """The name of the address where the enterprise sees the application's materials now."""
    return "enterprise:materials" if application.state == ApplicationState.DRAFT else "enterprise:application"
