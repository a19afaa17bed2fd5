"""What pages and reports read of matching: a bounded number of queries each, whatever the number of rows."""

from datetime import date

from django.db.models import Count, F, Q, QuerySet

from matching.models import Enterprise, Match, PolicyItem, Verdict


def matches_of(*, enterprise: Enterprise, day: date) -> QuerySet[Match]:
    """What comes up for an enterprise among the items listed and open on `day`, with version, item and department.

    The windows are looked at again, because the night that takes closed items away may still be to come.
    """
    return (
        Match.objects.filter(enterprise=enterprise)
        .filter(version__item__is_listed=True, version__item__current_version=F("version"))
        .filter(Q(version__window_from__isnull=True) | Q(version__window_from__lte=day))
        .filter(Q(version__window_until__isnull=True) | Q(version__window_until__gte=day))
        .select_related("version__item__department")
        .order_by("version__item__code")
    )


def fitting(*, enterprise: Enterprise, day: date) -> QuerySet[Match]:
    """Items that fit, those subject only to the form (`form_only`) among them."""
    return matches_of(enterprise=enterprise, day=day).filter(Q(verdict=Verdict.ELIGIBLE) | Q(form_only=True))


def nearly_fitting(*, enterprise: Enterprise, day: date) -> QuerySet[Match]:
    """Items of which one condition is not met."""
    return matches_of(enterprise=enterprise, day=day).filter(verdict=Verdict.INELIGIBLE)


def enterprises_matching(*, item: PolicyItem) -> QuerySet[Match]:
    """The enterprises that come up for an item's version in force."""
    return (
        Match.objects.filter(version=item.current_version_id).select_related("enterprise").order_by("enterprise__name")
    )


def most_fitting(*, day: date, limit: int) -> list[str]:
    """Codes of the items, listed and open on `day`, that fit the most enterprises; the most first."""
    counted = (
        Match.objects.filter(Q(verdict=Verdict.ELIGIBLE) | Q(form_only=True))
        .filter(version__item__is_listed=True, version__item__current_version=F("version"))
        .filter(Q(version__window_from__isnull=True) | Q(version__window_from__lte=day))
        .filter(Q(version__window_until__isnull=True) | Q(version__window_until__gte=day))
        .values_list("version__item__code")
        .annotate(fitting=Count("pk"))
        .order_by("-fitting", "version__item__code")
    )
    return [code for code, _ in counted[:limit]]
