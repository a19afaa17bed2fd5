"""Certificates as pages show them and take them in: for the enterprise's library and the department's register."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.domain.actors import Actor
from disbursement.domain.errors import REFUSALS
from disbursement.models import EvidenceVersion, FileReading
from disbursement.services.evidence import library as evidence
from disbursement.services.evidence import stored
from disbursement.services.evidence.library import Details
from portal.forms import DateInput
from portal.refusals import lay_on

ACCEPT = ".pdf,.ofd,.jpg,.jpeg,.png,.docx,.xlsx"
# What a certificate's state is called, and how it looks.
STATES: dict[str, tuple[str | Promise, str]] = {
    "valid": (gettext_lazy("有效"), "ok"),
    "expiring": (gettext_lazy("即将到期"), "warn"),
    "expired": (gettext_lazy("已到期"), "bad"),
    "withdrawn": (gettext_lazy("已停用"), "muted"),
    "waiting": (gettext_lazy("等待查毒"), "warn"),
    "infected": (gettext_lazy("查出病毒"), "bad"),
    "early": (gettext_lazy("尚未生效"), "muted"),
}


class DetailsForm(forms.Form):
    """What stands on a certificate, and its file."""

    file = forms.FileField(
        label=gettext_lazy("文件"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
        help_text=gettext_lazy("PDF、OFD、JPG、PNG、DOCX 或 XLSX，不超过 20 MB。"),
    )
    number = forms.CharField(
        label=gettext_lazy("证照编号"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("证书号、报告号等，没有可以不填。"),
    )
    issuer = forms.CharField(label=gettext_lazy("签发单位"), max_length=200)
    issued_on = forms.DateField(label=gettext_lazy("签发日期"), widget=DateInput())
    valid_until = forms.DateField(
        label=gettext_lazy("有效期至"),
        required=False,
        widget=DateInput(),
        help_text=gettext_lazy("有效期的最后一天。到期前 30 天会提醒您。"),
    )
    is_long_term = forms.BooleanField(label=gettext_lazy("长期有效"), required=False)

    def __init__(self, *args: Any, file_required: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].required = file_required

    def clean_file(self) -> UploadedFile | None:
        upload: UploadedFile | None = self.cleaned_data.get("file")
        if upload is not None and (upload.size or 0) > stored.LARGEST:
            raise forms.ValidationError(_("文件超过 20 MB，请压缩或拆分后上传。"))
        return upload

    def details(self) -> Details:
        """After `is_valid`."""
        data = self.cleaned_data
        return Details(
            issuer=data["issuer"],
            issued_on=data["issued_on"],
            number=data["number"],
            valid_until=data["valid_until"],
            is_long_term=data["is_long_term"],
        )

    def content(self) -> tuple[bytes | None, str]:
        """The bytes and the name of the file; None where there is none."""
        upload = self.cleaned_data["file"]
        return (None, "") if upload is None else (upload.read(), upload.name or "")


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("停用原因"),
        max_length=300,
        help_text=gettext_lazy("例如：已注销、已另行换发。停用后不能恢复，记录保留。"),
    )


def replaced(form: DetailsForm, *, evidence_id: int, actor: Actor, now: datetime) -> bool:
    """Whether the certificate has a newer version by the form; where not, the form says why."""
    if not form.is_valid():
        return False
    content, name = form.content()
    try:
        evidence.replace(
            evidence_id=evidence_id, details=form.details(), content=content, name=name, actor=actor, now=now
        )
    except REFUSALS as refusal:
        lay_on(form, refusal)
        return False
    return True


def withdrawn(form: WithdrawForm, *, evidence_id: int, actor: Actor, now: datetime) -> bool:
    """Whether the certificate is out of use for the form's reason; where not, the form says why."""
    if not form.is_valid():
        return False
    try:
        evidence.withdraw(evidence_id=evidence_id, reason=form.cleaned_data["reason"], actor=actor, now=now)
    except REFUSALS as refusal:
        lay_on(form, refusal)
        return False
    return True


def initial_of(version: EvidenceVersion) -> dict[str, Any]:
    """A form filled with what a version says."""
    names = ("number", "issuer", "issued_on", "valid_until", "is_long_term")
    return {name: getattr(version, name) for name in names}


def readings_of(evidence_id: int) -> list[FileReading]:
    """Who of the district opened the certificate, itself or as an application's material; the latest first."""
    chosen = FileReading.objects.filter(version__evidence=evidence_id) | FileReading.objects.filter(
        material__evidence_version__evidence=evidence_id
    )
    return list(chosen.select_related("material__application__item").order_by("-pk")[:50])
