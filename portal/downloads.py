"""Files that people handed in or that were sealed: always as attachments, never shown inside the site."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from disbursement.services.evidence.stored import Opened


def attachment(*, content: bytes, name: str, content_type: str = "application/octet-stream") -> HttpResponse:
    """A download that no browser opens in the site's own origin."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    _seal(response)
    return response


def streamed(opened: Opened) -> StreamingHttpResponse:
    """As `attachment`, for what people handed in: piece by piece, however large."""
    response = StreamingHttpResponse(opened.pieces(), content_type=opened.content_type)
    disposition = content_disposition_header(as_attachment=True, filename=opened.name)
    response["Content-Disposition"] = disposition or "attachment"
    response["Content-Length"] = str(opened.size)
    _seal(response)
    return response


def _seal(response: HttpResponseBase) -> None:
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
