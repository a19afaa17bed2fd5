"""A version's run: planned in chunks, shared out, stopped and gone on with, superseded, failed and tried again."""

from datetime import date, timedelta

import pytest

from matching import tasks
from matching.backends.base import BackendUnavailable
from matching.models import Match, MatchRun, Push, PushCause
from matching.models.run import EVERYONE_BEYOND
from matching.registry import outbox
from matching.registry.models import OutboxMessage
from matching.services import (
    candidates,
    match_policies,
    match_profiles,
    publish,
    run_chunks,
    run_planning,
    run_progress,
    runs,
)
from tests.factories import matching as make

pytestmark = pytest.mark.django_db

STAFF = {"fact": "insured_staff", "gte": 5}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(run_planning, "CHUNK", 3)


@pytest.fixture
def firms():
    """Ten enterprises of 0 to 9 staff, told of nothing yet."""
    made = [make.enterprise(f"甲{staff}", insured_staff=staff) for staff in range(10)]
    outbox.deliver(now=make.NOW)
    return made


def begun(version, **more):
    run = runs.begin(version_id=version.pk, as_of=make.TODAY, now=make.NOW, **more)
    assert run is not None
    return run


def finish(run, now=make.NOW):
    run_planning.plan(run_id=run.pk, now=now)
    while run_chunks.work_on_next(run_id=run.pk, now=now):
        pass
    run.refresh_from_db()
    return run


def told(version):
    return sorted(Push.objects.filter(version=version).values_list("enterprise__name", flat=True))


def names(*staff):
    return [f"甲{number}" for number in staff]


def test_beginning_only_notes_what_is_to_be_done(firms):
    version = make.published(STAFF)
    run = begun(version, occasion="once")
    assert (run.state, run.population, run.replaced) == ("planning", 10, None)
    assert begun(version, occasion="once") == run
    assert not Match.objects.exists()
    assert MatchRun.objects.count() == 1


def test_chunks_cover_every_id_there_can_be_and_together_do_what_one_did(firms):
    version = make.published(STAFF)
    run = begun(version)
    run_planning.plan(run_id=run.pk, now=make.NOW)
    chunks = list(run.chunks.order_by("first"))
    assert [chunk.first for chunk in chunks[1:]] == [chunk.last + 1 for chunk in chunks[:-1]]
    assert (chunks[0].first, chunks[-1].last, len(chunks)) == (1, EVERYONE_BEYOND, 4)
    finish(run)
    assert (run.state, run.enterprises, run.fitting, run.pushed) == ("done", 10, 5, 5)
    assert told(version) == names(5, 6, 7, 8, 9)
    events = OutboxMessage.objects.filter(topic="push.created")
    assert sum(len(event.payload["push_ids"]) for event in events) == 5


def test_a_planner_goes_on_after_the_last_chunk_that_another_stored(firms, monkeypatch):
    run = begun(make.published(STAFF))
    stored = []

    def dies():
        stored.append(1)
        if len(stored) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_planning.plan(run_id=run.pk, now=make.NOW, on_chunk=dies)
    assert run.chunks.count() == 2
    first = list(run.chunks.values_list("pk", flat=True))
    finish(run)
    assert list(run.chunks.values_list("pk", flat=True))[:2] == first
    assert (run.state, run.pushed) == ("done", 5)


def test_of_two_planners_the_one_whose_place_is_taken_leaves(firms):
    run = begun(make.published(STAFF))
    run_planning.plan(run_id=run.pk, now=make.NOW, on_chunk=lambda: run_planning.plan(run_id=run.pk, now=make.NOW))
    assert run.chunks.count() == 4
    assert finish(run).pushed == 5


def test_a_newer_version_supersedes_the_run_of_the_one_before(firms):
    first = make.published(STAFF, code="item")
    run = begun(first)
    run_planning.plan(run_id=run.pk, now=make.NOW)
    run_chunks.work_on_next(run_id=run.pk, now=make.NOW)
    run_chunks.work_on_next(run_id=run.pk, now=make.NOW)
    second = make.published({**STAFF, "gte": 8}, code="item")
    assert run_chunks.work_on_next(run_id=run.pk, now=make.NOW) is False  # it sees what is in force by itself
    run.refresh_from_db()
    assert run.state == "superseded"
    newer = finish(begun(second))
    assert newer.replaced == first
    assert told(first) == names(5)
    assert told(second) == names(8, 9)
    assert not Match.objects.filter(version=first).exists()


def test_a_withdrawal_ends_the_run_and_leaves_no_match(firms):
    version = make.published(STAFF, code="item")
    run = begun(version)
    run_planning.plan(run_id=run.pk, now=make.NOW)
    run_chunks.work_on_next(run_id=run.pk, now=make.NOW)
    publish.withdraw_item(item_code="item", now=make.NOW)
    match_policies.withdraw_item(item_id=version.item_id, now=make.NOW)
    finish(run)
    assert run.state == "superseded"
    assert not Match.objects.exists()
    assert runs.begin(version_id=version.pk, as_of=make.TODAY, now=make.NOW) is None


def test_a_chunk_that_fails_is_told_and_tried_later_while_others_go_on(firms, monkeypatch):
    version = make.published(STAFF)
    run = begun(version)
    real = run_chunks.write_matches

    def broken(*, piece, **more):
        if any(pk == firms[7].pk for pk, _, _ in piece):
            raise RuntimeError("out of order")
        return real(piece=piece, **more)

    monkeypatch.setattr(run_chunks, "write_matches", broken)
    finish(run)
    assert run.state == "running"
    assert told(version) == names(5, 9)
    [chunk] = run.chunks.filter(state="pending")
    assert "out of order" in chunk.error
    assert chunk.due_at > make.NOW
    later = make.NOW
    for _ in range(runs.MOST_ATTEMPTS):
        later += timedelta(hours=1)
        finish(run, now=later)
    assert run.state == "failed"
    assert "out of order" in run.error
    assert runs.unfinished(now=later) == []
    monkeypatch.undo()
    assert runs.retry(run_id=run.pk, now=later)
    assert finish(run, now=later).state == "done"
    assert run.pushed == 5
    assert told(version) == names(5, 6, 7, 8, 9)
    assert not runs.retry(run_id=run.pk, now=later)


def test_a_chunk_that_kills_its_worker_each_time_fails_after_so_many_and_a_person_sees_why(firms, monkeypatch):
    version = make.published(STAFF)
    run = begun(version)
    run_planning.plan(run_id=run.pk, now=make.NOW)
    real = run_chunks.write_matches

    def killed(*, piece, **more):
        if any(pk == firms[7].pk for pk, _, _ in piece):
            raise KeyboardInterrupt  # as far as the database can tell, the process is gone
        return real(piece=piece, **more)

    monkeypatch.setattr(run_chunks, "write_matches", killed)
    deaths = 0
    while True:
        try:
            if not run_chunks.work_on_next(run_id=run.pk, now=make.NOW):
                break
        except KeyboardInterrupt:
            deaths += 1
    run.refresh_from_db()
    assert (deaths, run.state) == (runs.MOST_ATTEMPTS, "failed")
    assert told(version) == names(5, 9)  # the others went on
    [trouble] = run_progress.progress_of(run=run, now=make.NOW).troubles
    assert (trouble.attempts, trouble.next_try) == (runs.MOST_ATTEMPTS, None)
    assert "进程中断" in trouble.reason
    monkeypatch.undo()
    assert runs.retry(run_id=run.pk, now=make.NOW)
    assert finish(run).pushed == 5


def test_a_chunk_in_hand_is_no_trouble_and_one_death_is_got_over(firms, monkeypatch):
    version = make.published(STAFF)
    run = begun(version)
    run_planning.plan(run_id=run.pk, now=make.NOW)
    real, seen = run_chunks.write_matches, []

    def once(**more):
        seen.append(run_progress.progress_of(run=run, now=make.NOW).troubles)
        if len(seen) == 1:
            raise KeyboardInterrupt
        return real(**more)

    monkeypatch.setattr(run_chunks, "write_matches", once)
    with pytest.raises(KeyboardInterrupt):
        run_chunks.work_on_next(run_id=run.pk, now=make.NOW)
    assert finish(run).state == "done"
    assert seen[0] == ()
    assert told(version) == names(5, 6, 7, 8, 9)


def test_planning_that_fails_is_told_and_tried_again(firms, monkeypatch):
    run = begun(make.published(STAFF))

    def broken(*_arguments, **_more):
        raise RuntimeError("no plan")

    monkeypatch.setattr(run_planning, "_pages", broken)
    later = make.NOW
    for _ in range(runs.MOST_ATTEMPTS):
        later += timedelta(hours=1)
        assert not run_planning.plan(run_id=run.pk, now=later)
    run.refresh_from_db()
    assert run.state == "failed"
    assert "no plan" in run.error
    monkeypatch.undo()
    assert runs.retry(run_id=run.pk, now=later)
    assert finish(run, now=later).pushed == 5


def test_a_failed_run_whose_version_was_replaced_is_not_tried_again(firms):
    first = make.published(STAFF, code="item")
    run = begun(first)
    MatchRun.objects.filter(pk=run.pk).update(state="failed", finished_at=make.NOW)
    make.published({**STAFF, "gte": 8}, code="item")
    assert not runs.retry(run_id=run.pk, now=make.NOW)
    run.refresh_from_db()
    assert run.state == "superseded"


def test_a_new_version_lists_who_is_newly_in_and_who_fell_out_with_the_condition_that_decides(firms):
    first = make.published({"fact": "insured_staff", "gte": 3, "lte": 6}, code="item")
    finish(begun(first))
    assert told(first) == names(3, 4, 5, 6)
    second = make.published({"fact": "insured_staff", "gte": 5, "lte": 8}, code="item")
    run = finish(begun(second))
    assert (run.newly_in, run.fell_out, run.replaced) == (2, 2, first)
    changes = {change.enterprise.name: (change.was, change.now, change.leaf) for change in run.changes.select_related()}
    assert changes == {
        "甲3": ("fits", "out", "root"),
        "甲4": ("fits", "out", "root"),
        "甲7": ("out", "fits", "root"),
        "甲8": ("out", "fits", "root"),
    }
    assert "3 人" in run.changes.get(enterprise=firms[3]).reason
    assert "不超过 6 人" in run.changes.get(enterprise=firms[7]).reason
    assert not Match.objects.filter(version=first).exists()


def test_who_fell_out_is_listed_though_its_profile_was_matched_in_between(firms):
    first = make.published(STAFF, code="item")
    finish(begun(first))
    second = make.published({**STAFF, "gte": 9}, code="item")
    match_profiles.match_enterprises(
        enterprise_ids=[firms[6].pk], cause=PushCause.PROFILE, as_of=make.TODAY, now=make.NOW
    )
    run = finish(begun(second))
    assert run.fell_out == 4
    assert run.changes.filter(enterprise=firms[6], was="fits", now="out").exists()


def test_a_version_that_is_not_open_takes_all_away_and_says_why(firms):
    first = make.published(STAFF, code="item")
    finish(begun(first))
    second = make.published(STAFF, code="item", window={"from": "2027-01-01"})
    run = finish(begun(second))
    assert (run.state, run.fell_out, run.pushed) == ("done", 5, 0)
    assert set(run.changes.values_list("now", "reason")) == {("closed", "不在受理期内")}
    assert not Match.objects.exists()


def test_listed_again_a_version_is_compared_with_nothing(firms):
    version = make.published(STAFF, code="item")
    finish(begun(version))
    publish.withdraw_item(item_code="item", now=make.NOW)
    match_policies.withdraw_item(item_id=version.item_id, now=make.NOW)
    make.published(STAFF, code="item")
    run = finish(begun(version))
    assert (run.cause, run.replaced, run.pushed, run.fitting) == ("relisted", None, 0, 5)


def test_when_the_day_passes_the_rest_is_judged_as_of_the_new_day(firms):
    version = make.published({"fact": "established_on", "at_least_ago": "P1Y"})
    young = make.enterprise("明天满一年", established_on="2025-11-23")
    OutboxMessage.objects.update(delivered_at=make.NOW)
    run = begun(version)
    finish(run, now=make.NOW + timedelta(days=1))
    assert Match.objects.get(enterprise=young).as_of == date(2026, 11, 23)
    assert told(version) == ["明天满一年"]


class TestWithAnIndex:
    """What the index proposes is judged by the facts in force; what it does not know of has its own event."""

    @pytest.fixture(autouse=True)
    def index(self, settings, monkeypatch):
        settings.HUIDA_MATCHER = "elasticsearch"
        self.proposed = []
        self.fails_after = None

        def walk(*, policy, as_of, near, after=0, size=2000):
            for number, pk in enumerate(pk for pk in self.proposed if pk > after):
                if number == self.fails_after:
                    raise BackendUnavailable("away")
                yield [pk]

        monkeypatch.setattr(candidates, "walk", walk)

    @pytest.fixture
    def firms(self, settings):
        settings.HUIDA_MATCHER = "memory"
        made = [make.enterprise(f"甲{staff}", insured_staff=staff) for staff in range(10)]
        outbox.deliver(now=make.NOW)
        settings.HUIDA_MATCHER = "elasticsearch"
        return made

    def test_only_candidates_are_judged(self, firms):
        self.proposed = [firms[staff].pk for staff in (2, 5, 7)]
        version = make.published(STAFF)
        run = finish(begun(version))
        assert (run.enterprises, run.by_index) == (3, True)
        assert told(version) == names(5, 7)
        assert all(chunk.candidates == [] for chunk in run.chunks.all())

    def test_a_row_of_who_is_no_candidate_is_judged_before_it_is_taken_away(self, firms):
        version = make.published({"all": [STAFF, {"fact": "insured_staff", "gte": 4}]})
        run = begun(version)
        run_planning.plan(run_id=run.pk, now=make.NOW)
        for staff, verdict in ((8, "eligible"), (1, "eligible")):  # the second is what nobody may leave behind
            Match.objects.create(enterprise=firms[staff], version=version, verdict=verdict, as_of=make.TODAY)
        finish(run)
        assert list(Match.objects.values_list("enterprise__name", flat=True)) == ["甲8"]

    def test_where_the_index_goes_away_on_the_way_everybody_else_is_judged(self, firms, caplog):
        self.proposed = [firm.pk for firm in firms if firm.name >= "甲5"]
        self.fails_after = 4
        version = make.published(STAFF)
        run = finish(begun(version))
        assert (run.state, run.pushed) == ("done", 5)
        assert "without the profile index" in caplog.text


def test_the_schedule_finishes_what_nobody_took(firms):
    version = make.published(STAFF)
    run = begun(version)
    assert tasks.resume_runs() == 1
    run.refresh_from_db()
    assert run.state == "done"
    assert told(version) == names(5, 6, 7, 8, 9)
    assert tasks.resume_runs() == 0
