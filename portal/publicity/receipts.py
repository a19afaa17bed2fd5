"""The receipt number of an objection: whoever holds it may read the answer. It cannot be guessed from another one."""

from __future__ import annotations

import base64
import re

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_SALT = "portal.publicity.receipts"
_NUMBER = re.compile(r"YY-([0-9]{6,18})-([A-Z2-7]{10})")


def number_of(objection_id: int, *, secret: str | bytes | None = None) -> str:
    """The number that is told once the objection came in, such as YY-000012-ABCDEFGHIJ."""
    digest = salted_hmac(_SALT, str(objection_id), secret=secret, algorithm="sha256").digest()
    return f"YY-{objection_id:06d}-{base64.b32encode(digest).decode()[:10]}"


def read(number: str) -> int | None:
    """The objection's id, or None for a number that was never told. Spaces and small letters do no harm."""
    found = _NUMBER.fullmatch("".join(number.split()).upper())
    if found is None:
        return None
    objection_id = int(found[1])
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    right = any(
        constant_time_compare(number_of(objection_id, secret=secret), f"YY-{found[1]}-{found[2]}") for secret in secrets
    )
    return objection_id if right else None
