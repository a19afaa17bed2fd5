"""What every template may say about the district it serves."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {"district": settings.HUIDA_DISTRICT, "product_name": "惠达"}
