"""The files that enterprises hand in: real PDF and JPG pages, drawn when they are needed."""

from __future__ import annotations

import io
import shutil
import subprocess
import time
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from PIL import Image, ImageDraw, ImageFont

_PAGE = (827, 1169)  # A4 at 100 dots an inch
_INK = (40, 44, 52)
_STAMP = (190, 30, 45)
# The same page gives the same bytes, whenever it is drawn.
_NO_DAY = time.gmtime(0)


def pdf(*, title: str, lines: Sequence[str], stamp: str = "") -> bytes:
    """One page as PDF; `stamp` is set in a red ring at its foot."""
    out = io.BytesIO()
    _draw(title=title, lines=lines, stamp=stamp).save(
        out, "PDF", resolution=100.0, creationDate=_NO_DAY, modDate=_NO_DAY
    )
    return out.getvalue()


def jpeg(*, title: str, lines: Sequence[str], stamp: str = "") -> bytes:
    """One page as a photograph."""
    out = io.BytesIO()
    _draw(title=title, lines=lines, stamp=stamp).resize((620, 877)).save(out, "JPEG", quality=70)
    return out.getvalue()


def invoices(*, total: Decimal, seed: int, day: date) -> list[dict[str, str]]:
    """Two invoices that sum up to `total` 元, their numbers following from `seed`, issued in the weeks before `day`."""
    first = (total * Decimal("0.6")).quantize(Decimal("0.01"))
    return [
        {
            "issuer": "成都蓉检技术服务有限公司",
            "number": f"{day.year % 100:02d}512000{seed:010d}{position:02d}",
            "issued_on": (day - timedelta(days=21 * position)).isoformat(),
            "amount": str(amount),
        }
        for position, amount in enumerate((first, total - first), start=1)
    ]


def _draw(*, title: str, lines: Sequence[str], stamp: str) -> Image.Image:
    page = Image.new("RGB", _PAGE, "white")
    pen = ImageDraw.Draw(page)
    pen.text((_PAGE[0] // 2, 110), title, font=_font(34), fill=_INK, anchor="mm")
    pen.line((80, 150, _PAGE[0] - 80, 150), fill=_INK, width=2)
    for number, line in enumerate(lines):
        pen.text((90, 190 + number * 42), line, font=_font(22), fill=_INK)
    pen.text((90, _PAGE[1] - 80), "演示材料，内容虚构", font=_font(16), fill=(150, 150, 150))
    if stamp:
        centre = (_PAGE[0] - 210, _PAGE[1] - 260)
        pen.ellipse((centre[0] - 110, centre[1] - 110, centre[0] + 110, centre[1] + 110), outline=_STAMP, width=5)
        pen.text(centre, "★", font=_font(54), fill=_STAMP, anchor="mm")
        pen.text((centre[0], centre[1] + 58), stamp, font=_font(20), fill=_STAMP, anchor="mm")
    return page


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    path = _font_path()
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)


@cache
def _font_path() -> str:
    """A font of this machine that has Chinese; empty where fontconfig knows none."""
    tool = shutil.which("fc-match")
    if tool is None:
        return ""
    found = subprocess.run(
        [tool, "-f", "%{file}", "Noto Sans CJK SC:lang=zh-cn"], capture_output=True, text=True, check=False, timeout=30
    )
    return found.stdout.strip() if found.returncode == 0 else ""
