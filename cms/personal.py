"""What the reader's own enterprise fits. cms knows neither logins nor enterprises: portal tells it through here."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Fits:
    """Codes of the items that fit an enterprise (`sure`), and of those that some more facts would decide (`maybe`)."""

    sure: frozenset[str]
    maybe: frozenset[str]


Provider = Callable[[HttpRequest], Fits | None]
_providers: list[Provider] = []


def provide(provider: Provider) -> Provider:
    """Names who knows; the last named is asked."""
    _providers.append(provider)
    return provider


def fits_of(request: HttpRequest) -> Fits | None:
    """What fits the enterprise for which this request is made; None where it is made for none."""
    return _providers[-1](request) if _providers else None
