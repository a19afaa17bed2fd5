"""A notice as PDF bytes: one template, one style sheet, fonts of the machine found by fontconfig, nothing fetched.

The only place that knows WeasyPrint. Rendering takes no clock and no database: the same notice gives the same page.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import segno
from django.template import Context, Engine, Template
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from .notice import Notice

_TEMPLATES = Path(__file__).parent / "templates"
# Only what is in the page itself is loaded: a notice never reaches for the network or the disk.
_NOTHING_OUTSIDE = URLFetcher(allowed_protocols=["data"], fail_on_errors=True)


def render_pdf(notice: Notice) -> bytes:
    """The notice as a PDF of A4 pages, its fonts subset and embedded."""
    fonts, style = _style()
    page = HTML(string=render_html(notice), url_fetcher=_NOTHING_OUTSIDE)
    pdf: bytes = page.write_pdf(stylesheets=[style], font_config=fonts)
    return pdf


def render_html(notice: Notice) -> str:
    """The page before it becomes PDF."""
    return _template().render(Context({"notice": notice, "qr": qr_code(notice.verify_url)}))


def qr_code(url: str) -> str:
    """A QR code as an SVG data URI, error correction M, with its quiet zone."""
    uri: str = segno.make(url, error="m", micro=False).svg_data_uri(scale=4, border=2, dark="#000", light="#fff")
    return uri


@cache
def _template() -> Template:
    return Engine(dirs=[str(_TEMPLATES)], autoescape=True).get_template("notice.html")


@cache
def _style() -> tuple[FontConfiguration, CSS]:
    # Parsed once for each process: a third of the time of a short notice.
    fonts = FontConfiguration()
    return fonts, CSS(filename=str(_TEMPLATES / "notice.css"), font_config=fonts)
