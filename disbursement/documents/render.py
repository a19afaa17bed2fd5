"""A notice as PDF bytes: one template, one style sheet, fonts of the machine found by fontconfig, nothing fetched.

The only place that knows WeasyPrint. Rendering takes no clock and no database: the same notice gives the same page.
Files are PDF/A-2a: made to be kept, with everything inside, and tagged, so that a screen reader can read them aloud.
WeasyPrint is loaded by the first notice, or by `make_ready`: a fifth of the start of every command and process.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import segno
from django.conf import settings
from django.template import Context, Engine, Template

from .notice import Notice

if TYPE_CHECKING:
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

_TEMPLATES = Path(__file__).parent / "templates"
_VARIANT = "pdf/a-2a"


def render_pdf(notice: Notice) -> bytes:
    """The notice as a PDF/A-2a of A4 pages, its fonts subset and embedded."""
    from weasyprint import HTML

    fonts, style = _style()
    with _undisturbed():
        page = HTML(string=render_html(notice), url_fetcher=_nothing_outside())
        pdf: bytes = page.write_pdf(
            stylesheets=[style], font_config=fonts, pdf_variant=_VARIANT, finisher=_compress_once
        )
    return pdf


def render_html(notice: Notice) -> str:
    """The page before it becomes PDF."""
    return _template().render(Context({"notice": notice, "qr": qr_code(notice.verify_url)}))


def qr_code(url: str) -> str:
    """A QR code as a data URI, error correction M, with its quiet zone.

    A picture of one dot for each module: the style sheet has it drawn without smoothing, so it is as sharp as a drawing
    of four hundred lines, and a twentieth of a page's time cheaper.
    """
    uri: str = segno.make(url, error="m", micro=False).png_data_uri(scale=1, border=2)
    return uri


def make_ready() -> None:
    """Loads what every notice uses: in a process whose children write them, it is theirs from the start."""
    _template()
    _style()


@cache
def _nothing_outside() -> URLFetcher:
    """Only what is in the page itself is loaded: a notice never reaches for the network or the disk."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols=["data"], fail_on_errors=True)


@cache
def _template() -> Template:
    return Engine(dirs=[str(_TEMPLATES)], autoescape=True).get_template("notice.html")


@cache
def _style() -> tuple[FontConfiguration, CSS]:
    # Parsed once for each process: a third of the time of a short notice.
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    from . import fonts as faces

    fonts = FontConfiguration()
    # It gives its memory back through WeasyPrint, which must still be there then: not so at the very end.
    atexit.register(_style.cache_clear)
    sheet = faces.face_rules(settings.VAR_DIR / "fonts") + (_TEMPLATES / "notice.css").read_text("utf-8")
    return fonts, CSS(string=sheet, font_config=fonts)


def _compress_once(_document: object, pdf: Any) -> None:
    """Keeps each stream as it is compressed: the writer would do it twice, for the identifier and for the file."""
    for part in pdf.objects:
        if getattr(part, "compress", False):
            content = part.data.partition(b"\nstream\n")[2].removesuffix(b"\nendstream")
            part.stream, part.compress = [content], False
            part.extra["Filter"] = "/FlateDecode"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the collector of garbage: it would walk the whole process several times for each page, some 100 ms."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
