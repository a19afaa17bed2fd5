"""Where on the pages of an application a fault is mended."""

from __future__ import annotations

from django.urls import reverse

from disbursement.models import Application
from portal.facts.fields import PREFIX


def place_url(application: Application, place: str) -> str:
    """The address of the field or the material that `place` (of a `Fault`) names."""
    if place.startswith("material."):
        return reverse("enterprise:materials", args=[application.pk]) + f"#{place}"
    if place.startswith("form."):
        return reverse("enterprise:edit", args=[application.pk]) + f"#id_{PREFIX}{place.removeprefix('form.')}"
    return reverse("enterprise:edit", args=[application.pk]) + f"#id_{place}"
