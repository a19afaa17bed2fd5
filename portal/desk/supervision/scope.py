"""What a page of supervision looks at: whose departments, which days, narrowed to what; read from the address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils.dateparse import parse_date

from disbursement.domain.supervision import EntryKind
from disbursement.selectors.supervision import Span
from matching.models import PolicyItem
from matching.registry.models import Department
from portal.accounts.access import access_for
from portal.accounts.models import StaffRole, User

_LARGEST = 10**18


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a page as they were chosen, and the choices there are."""

    span: Span
    departments: list[Department]
    people: list[User]
    items: list[PolicyItem]
    query: str
    is_narrowed: bool

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return EntryKind.choices()


def places(request: HttpRequest) -> frozenset[int] | None:
    """The departments that the person supervises; None: the whole district."""
    return access_for(request).departments_of({StaffRole.SUPERVISOR})


def filters(request: HttpRequest, *, today: date) -> Filters:
    """The filters in an address; what cannot be read is not filtered by. The month up to today where no days stand."""
    own = places(request)
    data = request.GET
    contested = data.get("contested") == "1"
    # What waits for a decision is looked for however old it is.
    first = date(today.year - 1, 1, 1) if contested else today.replace(day=1)
    since, until = _day(data.get("since")) or first, _day(data.get("until")) or today
    department = _number(data.get("department"))
    seen = own if department is None else frozenset({department}) & (own if own is not None else {department})
    kind = data.get("kind", "")
    departments = Department.objects.order_by("name")
    people = User.objects.filter(role_assignments__isnull=False).distinct().order_by("full_name", "username")
    if own is not None:
        departments = departments.filter(pk__in=own)
        people = people.filter(role_assignments__department__in=own)
    query = data.copy()
    query.pop("page", None)
    return Filters(
        span=Span(
            since=since,
            until=until,
            department_ids=seen,
            person_id=_number(data.get("person")),
            item_id=_number(data.get("item")),
            kind=EntryKind(kind) if kind in {one.value for one in EntryKind} else None,
            contested_only=contested,
        ),
        departments=list(departments),
        people=list(people),
        items=list(PolicyItem.objects.filter(applications__isnull=False).distinct().order_by("name")),
        query=query.urlencode(),
        is_narrowed=any(data.get(name) for name in ("since", "until", "department", "person", "item", "kind")),
    )


def without_kind(found: Filters) -> Span:
    """Figures count lines of every kind."""
    return replace(found.span, kind=None, contested_only=False)


def _day(text: Any) -> date | None:
    try:
        return parse_date(str(text or ""))
    except ValueError:
        return None


def _number(text: Any) -> int | None:
    text = str(text or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 and int(text) < _LARGEST else None
