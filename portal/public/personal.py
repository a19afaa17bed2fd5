"""Tells the public list what fits the enterprise that a reader acts for."""

from django.http import HttpRequest
from django.utils import timezone

from cms.personal import Fits, provide
from matching.selectors import matches_of
from portal.accounts.access import access_for


@provide
def fits_of_reader(request: HttpRequest) -> Fits | None:
    """The stored matches of the enterprise chosen in this session; None for a reader who acts for none."""
    enterprise = access_for(request).enterprise
    if enterprise is None:
        return None
    matches = matches_of(enterprise=enterprise, day=timezone.localdate())
    rows = matches.select_related(None).order_by().values_list("version__item__code", "verdict", "form_only")
    sure = {code for code, verdict, form_only in rows if verdict == "eligible" or form_only}
    maybe = {code for code, verdict, _ in rows if verdict == "undetermined"} - sure
    return Fits(frozenset(sure), frozenset(maybe))
