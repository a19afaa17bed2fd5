"""Where the story plays: people, a simulated clock, and an agenda of what they do when.

Everything is done by the services that the desks use, at the moment that the agenda says, and what they write to the
outbox is delivered at that moment too. The telling reads the database afterwards.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from disbursement.domain.actors import Actor
from disbursement.services.application import applications, corrections
from disbursement.services.evidence import following as evidence_following
from disbursement.services.month import cycles
from disbursement.services.review import publicity, steps
from disbursement.services.supervision import clocks, pay_month, warnings
from disbursement.services.supervision import sources as supervision_sources
from matching.models import Enterprise
from matching.registry import outbox
from matching.registry.models import OutboxMessage
from portal.accounts.models import User
from portal.demo.accounts import actor_of
from portal.demo.narrator import Narrator
from portal.demo.story.casting import Casting, StoryBroken
from portal.demo.story.timeline import Timeline, at

Act = Callable[[datetime], object]
_ALL = 1_000_000


@dataclass
class Stage:
    """People act by `plan`; `play` lets time pass."""

    time: Timeline
    _agenda: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _staff: dict[str, Actor] = field(default_factory=dict)
    # Ids of applications by (enterprise's id in the files, item code), as the acts make them.
    applications: dict[tuple[str, str], int] = field(default_factory=dict)
    planned: list[tuple[str, str]] = field(default_factory=list)
    casting: Casting = field(default_factory=Casting)

    def plan(self, moment: datetime, act: Act) -> None:
        """Do something at a moment; what lies after the story's end is left to whoever signs in."""
        if moment.date() <= self.time.end:
            heapq.heappush(self._agenda, (moment, next(self._order), act))

    def plan_nights(self) -> None:
        """What the machine does by itself each day, before anyone comes to work."""
        for day in self.time.nights():
            heapq.heappush(self._agenda, (at(day, 5), next(self._order), self._night))
        # Of today only what is past in any case.
        heapq.heappush(self._agenda, (at(self.time.today, 0, 5), next(self._order), self._night))

    def play(self, until: datetime, *, done: Callable[[], object] = lambda: None) -> None:
        """Do what the agenda holds up to and including a moment, in order; `done` is told after each."""
        while self._agenda and self._agenda[0][0] <= until:
            moment, _order, act = heapq.heappop(self._agenda)
            act(moment)
            deliver(now=moment)
            done()

    def watch(self, narrator: Narrator, label: str, *, until: datetime) -> None:
        """As `play`, with progress on the terminal."""
        due = sum(moment <= until for moment, _order, _act in self._agenda)
        with narrator.progress(label, total=due) as bar:
            self.play(until, done=bar.update)

    def staff(self, username: str) -> Actor:
        """An official, with the roles that the database says."""
        if username not in self._staff:
            self._staff[username] = actor_of(User.objects.get(username=username))
        return self._staff[username]

    def person_of(self, external_id: str) -> Actor:
        """Whoever acts for an enterprise: its agent where it has one, else its legal representative."""
        members = User.objects.filter(
            memberships__enterprise__external_id=external_id, memberships__revoked_at__isnull=True
        )
        return actor_of(members.order_by("memberships__kind").first() or self._nobody(external_id))

    def _night(self, now: datetime) -> None:
        """Open the month, end what ran out, warn of what ends and of clocks, draw the cards, follow the pay months."""
        if now.date() >= self.time.first:
            cycles.open_if_due(now=now)
        publicity.end_due(now=now)
        corrections.lapse_overdue(now=now)
        steps.lapse_overdue(now=now)
        evidence_following.pass_days(now=now)
        clocks.charge_cards(now=now)
        warnings.warn(now=now)
        supervision_sources.collect(now=now)
        pay_month.keep_up(now=now)
        applications.close_settled(now=now)

    def _nobody(self, external_id: str) -> User:
        raise StoryBroken(f"没有人代表企业 {external_id}")


def deliver(*, now: datetime) -> int:
    """Deliver what is waiting. Raises StoryBroken where a handler failed: the story must not go on as if it had not."""
    done = outbox.deliver(now=now, limit=_ALL)
    failed = OutboxMessage.objects.filter(delivered_at__isnull=True, attempts__gt=0).first()
    if failed is not None:
        raise StoryBroken(f"消息 {failed.topic} #{failed.pk} 没有送达：\n{failed.last_error}")
    return done


def enterprise(external_id: str) -> Enterprise:
    return Enterprise.objects.get(external_id=external_id)
