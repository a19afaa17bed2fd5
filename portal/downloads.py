"""Files that people handed in or that were sealed: always as attachments, never shown inside the site."""

from __future__ import annotations

from typing import BinaryIO

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header


def attachment(*, content: bytes, name: str, content_type: str = "application/octet-stream") -> HttpResponse:
    """A download that no browser opens in the site's own origin."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    _seal(response)
    return response


def streamed(*, file: BinaryIO, name: str, content_type: str, size: int) -> FileResponse:
    """As `attachment`, piece by piece from an open file, which is closed with the response."""
    response = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    response["Content-Length"] = str(size)
    _seal(response)
    return response


def _seal(response: HttpResponseBase) -> None:
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
