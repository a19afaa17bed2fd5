"""Who else appears: enterprises that fit an item by what is on file, found in the matches like anyone would."""

from __future__ import annotations

from datetime import date

from disbursement.domain.errors import Invalid
from disbursement.selectors.forms import form_fields
from disbursement.services.application import judging
from matching.models import Enterprise, Match, PolicyItem, Verdict
from portal.demo.enterprises import BOUNCED, CREDIT_FALLER, PROTAGONIST
from portal.demo.story.timeline import at


class StoryBroken(Exception):
    """Something that the story relies on did not happen; the message says what."""


NAMED = (PROTAGONIST, CREDIT_FALLER, BOUNCED)


class Casting:
    """Hands out enterprises, each once, in the order of their ids."""

    def __init__(self) -> None:
        self._taken: set[str] = set(NAMED)

    def take(self, item_code: str, *, day: date) -> str | None:
        """An enterprise that could be granted the item if it applied on a day; None where all are taken."""
        now = at(day, 9)
        item = PolicyItem.objects.select_related("current_version").get(code=item_code)
        version = item.current_version
        if version is None or form_fields(rules=judging.rules_of(version=version, now=now)):
            return None
        fitting = Match.objects.filter(version=version, verdict=Verdict.ELIGIBLE).exclude(
            enterprise__external_id__in=self._taken
        )
        for enterprise in Enterprise.objects.filter(matches__in=fitting).order_by("external_id"):
            try:
                found = judging.rehearse(version=version, enterprise=enterprise, form={}, now=now)
            except Invalid:
                continue
            if found.verdict == "eligible" and found.amount:
                self._taken.add(enterprise.external_id)
                return enterprise.external_id
        return None

    def one_of(self, *item_codes: str, day: date) -> tuple[str, str]:
        """(enterprise, item): the first of the items that somebody is left for. Raises StoryBroken where nobody is."""
        for code in item_codes:
            found = self.take(code, day=day)
            if found is not None:
                return found, code
        raise StoryBroken(f"没有企业还能申报这些事项：{'、'.join(item_codes)}")
