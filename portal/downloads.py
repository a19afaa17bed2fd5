"""Files that people handed in or that were sealed: always as attachments, never shown inside the site."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header


def attachment(*, content: bytes, name: str, content_type: str = "application/octet-stream") -> HttpResponse:
    """A download that no browser opens in the site's own origin."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response
