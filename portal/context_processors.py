"""What every template may say about the district it serves and the person it serves."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from portal import navigation
from portal.accounts.access import access_for


def site(request: HttpRequest) -> dict[str, Any]:
    """Lazy, because the editors' pages use neither access nor navigation."""
    return {
        "district": settings.HUIDA_DISTRICT,
        "product_name": "惠达",
        "access": SimpleLazyObject(lambda: access_for(request)),
        "navigation": SimpleLazyObject(lambda: navigation.for_request(request)),
    }
