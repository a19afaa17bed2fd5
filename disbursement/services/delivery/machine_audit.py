"""What of the machine's decisions is drawn for a person's audit (事后抽查): each item's own share of a month, from the
seed of the month's draw, so that it can be drawn again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from disbursement.domain.sampling import Thing, band, draw
from disbursement.models import Application, Decision, DecisionKind, MachineDraw, MachineVerification, QualityDraw
from disbursement.selectors.delivery import audit_share, terms_of


def decided_by_machine(*, application_ids: Iterable[int]) -> frozenset[int]:
    """Those of the applications, decided by no person, that the machine decided or brought into publicity by itself."""
    found = MachineVerification.objects.filter(application__in=list(application_ids), decides=True)
    return frozenset(found.values_list("application_id", flat=True))


def population(*, since: datetime, until: datetime) -> dict[str, list[Thing]]:
    """Approvals by machine in a span of time (aware, the end excluded), by item code, in strata of their amounts."""
    found = Decision.objects.filter(
        kind=DecisionKind.APPROVED,
        at__gte=since,
        at__lt=until,
        by__isnull=True,
        application__verification__decides=True,
    )
    things: dict[str, list[Thing]] = defaultdict(list)
    for pk, code, amount in found.order_by("application_id").values_list(
        "application_id", "application__item__code", "amount"
    ):
        things[code].append(Thing(pk, f"系统/{code}/{band(amount)}"))
    return dict(things)


def pick(*, made: QualityDraw, since: datetime, until: datetime) -> list[tuple[int, str]]:
    """Draw each item's share and write down from how many; (application, stratum) of what is to be audited. In the
    transaction of the month's draw.
    """
    picked: list[tuple[int, str]] = []
    for code, things in sorted(population(since=since, until=until).items()):
        strata = {thing.key: thing.stratum for thing in things}
        latest = Application.objects.select_related("version").get(pk=max(strata))
        share = audit_share(terms=terms_of(version=latest.version))
        MachineDraw.objects.create(draw=made, item_code=code, share=share, population=len(things))
        picked += [(pk, strata[pk]) for pk in redraw_item(things=things, share=share, seed=made.seed, code=code)]
    return picked


def redraw_item(*, things: list[Thing], share: int, seed: str, code: str) -> list[int]:
    """The applications of one item that the seed draws: the same whoever draws them."""
    return draw(things=things, share=share, seed=f"{seed}/{code}")
