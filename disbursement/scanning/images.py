"""Pictures: decoded to their last line, and of a size that a person's screen and a reviewer's memory can bear."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from PIL import Image, ImageFile, UnidentifiedImageError

from disbursement.scanning.unsafe import Unsafe

MOST_PIXELS = 64_000_000
_lock = threading.Lock()
_PNG_END = b"IEND\xaeB`\x82"


def check(content: bytes, form: str) -> None:
    """Decode the picture (`form`: "PNG" or "JPEG"). Raises Unsafe."""
    try:
        with _whole_pictures_only(), warnings.catch_warnings():
            # Pillow warns of pictures beyond its own limit, and of odd ones; the first are refused below by our own.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=[form]) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    raise _too_large()
                picture.verify()
            with Image.open(io.BytesIO(content), formats=[form]) as picture:
                # Each line is decoded all the same, but an eighth of the memory is enough to know that it is there.
                picture.draft("RGB", (max(1, width // 8), max(1, height // 8)))
                picture.load()
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error) as error:
        # Pillow raises any of these for a damaged picture.
        raise Unsafe(_("%(form)s 图片不完整或已损坏，请重新保存后上传。") % {"form": form}) from error
    if form == "PNG" and not content.endswith(_PNG_END):
        raise Unsafe(_("PNG 图片后面还有别的内容，请重新截图或另存后上传。"))


@contextmanager
def _whole_pictures_only() -> Iterator[None]:
    """Other libraries tell Pillow, for the whole process, to be content with half a picture."""
    with _lock:
        before = ImageFile.LOAD_TRUNCATED_IMAGES
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before


def _too_large() -> Unsafe:
    text = _("图片超过 %(most)s 百万像素，请缩小后上传。")
    return Unsafe(text % {"most": MOST_PIXELS // 1_000_000})
