"""Confirm a notice: what the QR code on each leads to. Shows nothing that the paper's holder does not hold already."""

from __future__ import annotations

import hashlib
import re

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from disbursement.models import Document

_NUMBER = re.compile(r"[A-Z]{2}-[0-9]{4}-[0-9]{6}")
_MOST_BYTES = 20 * 1024 * 1024


class NumberForm(forms.Form):
    number = forms.CharField(
        label=_("文书编号"), max_length=40, help_text=_("印在文书右上角，形如 SL-2026-000001，不分大小写。")
    )

    def clean_number(self) -> str:
        number = str(self.cleaned_data["number"]).strip().upper()
        if not _NUMBER.fullmatch(number):
            raise forms.ValidationError(_("文书编号由两个字母、四位年份和六位序号组成，请对照文书核对。"))
        return number


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("核对文件"), help_text=_("选择您手中的 PDF，核对它与签发的文书是否一字不差。文件只作比对，不会保存。")
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > _MOST_BYTES:
            raise forms.ValidationError(_("文件超过 20 MB，不会是本系统签发的文书。"))
        return file


def search(request: HttpRequest) -> HttpResponseBase:
    form = NumberForm(request.GET if "number" in request.GET else None)
    if form.is_valid():
        return redirect("verify:confirm", number=form.cleaned_data["number"])
    return render(request, "verify/search.html", {"form": form})


def confirm(request: HttpRequest, number: str) -> HttpResponseBase:
    """The notice of that number, or a 404 page that says it was never issued."""
    document = None
    if _NUMBER.fullmatch(number):
        document = Document.objects.defer("content").filter(number=number).select_related("application__item").first()
    if document is None:
        return render(request, "verify/unknown.html", {"number": number[:40], "form": NumberForm()}, status=404)
    form = FileForm(request.POST or None, request.FILES or None)
    same = None
    if request.method == "POST" and form.is_valid():
        digest = hashlib.sha256()
        for chunk in form.cleaned_data["file"].chunks():
            digest.update(chunk)
        same = digest.hexdigest() == document.sha256
    return render(request, "verify/confirm.html", {"document": document, "form": form, "same": same})
