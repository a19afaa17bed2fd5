"""Facts: recorded once, never changed, and the profile of any past day as it was known on any later one."""

from datetime import UTC, date, datetime

import pytest

from matching.criteria import InvalidInput
from matching.models import Fact, Profile
from matching.registry.models import OutboxMessage
from matching.services import facts
from tests.factories import matching as make

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 10, 2, tzinfo=UTC)
MAY = datetime(2026, 5, 10, 2, tzinfo=UTC)
JULY = datetime(2026, 7, 10, 2, tzinfo=UTC)


def changes(enterprise):
    return OutboxMessage.objects.filter(topic="enterprise.facts_changed", payload__enterprise_id=enterprise.pk).count()


def test_a_story_of_one_enterprise_learned_late_corrected_and_withdrawn():
    firm = make.enterprise(now=MARCH)
    # In March we learn that it had 40 people since January.
    facts.record(enterprise=firm, key="insured_staff", value=40, source="社保", valid_on=date(2026, 1, 1), now=MARCH)
    # In May it says: 55 since April.
    facts.record(enterprise=firm, key="insured_staff", value=55, source="企业填报", valid_on=date(2026, 4, 1), now=MAY)
    # In July the January figure turns out to have been 45.
    facts.record(enterprise=firm, key="insured_staff", value=45, source="社保", valid_on=date(2026, 1, 1), now=JULY)

    def staff(day, known_at=None):
        return facts.profile_as_of(enterprise=firm, day=day, known_at=known_at).get("insured_staff")

    assert staff(date(2025, 12, 31)) is None
    assert staff(date(2026, 2, 1), known_at=datetime(2026, 3, 1, tzinfo=UTC)) is None  # not learned yet
    assert staff(date(2026, 2, 1), known_at=MARCH) == 40
    assert staff(date(2026, 4, 1), known_at=MARCH) == 40
    assert staff(date(2026, 4, 1), known_at=MAY) == 55
    assert staff(date(2026, 2, 1)) == 45
    assert staff(date(2026, 5, 1)) == 55  # the correction of January leaves April alone

    facts.record(enterprise=firm, key="insured_staff", value=None, source="社保", valid_on=date(2026, 6, 1), now=JULY)
    assert staff(date(2026, 5, 31)) == 55
    assert staff(date(2026, 6, 1)) is None
    assert "insured_staff" not in Profile.objects.get(enterprise=firm).facts
    assert Fact.objects.filter(enterprise=firm).count() == 4


def test_the_profile_of_today_rises_by_one_revision_and_one_event_for_a_change():
    firm = make.enterprise()
    before = Profile.objects.get(enterprise=firm).revision
    events = changes(firm)
    make.learn(firm, insured_staff=40, above_scale=True)
    profile = Profile.objects.get(enterprise=firm)
    assert profile.facts == {"above_scale": True, "insured_staff": 40}
    assert profile.revision == before + 1
    assert changes(firm) == events + 1


@pytest.mark.parametrize("again", [40, "40", "40.00"])
def test_recording_what_is_known_already_writes_nothing_and_tells_nobody(again):
    firm = make.enterprise(staff={"2025": 40})
    events = changes(firm)
    done = make.learn(firm, staff={"2025": again}, valid_on=date(2026, 6, 1))
    assert (done.rows, done.changed) == (0, [])
    assert changes(firm) == events
    assert Fact.objects.filter(enterprise=firm).count() == 1


def test_records_in_another_order_and_shorthand_say_the_same():
    firm = make.enterprise(qualifications=["high_tech", {"code": "tech_sme", "on": "2025-01-01"}])
    done = make.learn(firm, qualifications=[{"code": "tech_sme", "on": "2025-01-01"}, {"code": "high_tech"}])
    assert done.rows == 0


def test_a_change_of_the_past_alone_is_kept_but_announces_nothing():
    firm = make.enterprise(insured_staff=40)
    events = changes(firm)
    done = make.learn(firm, insured_staff=30, valid_on=date(2025, 6, 1))
    assert (done.rows, done.changed) == (1, [])
    assert changes(firm) == events
    assert facts.profile_as_of(enterprise=firm, day=date(2025, 7, 1)) == {"insured_staff": 30}


def test_the_same_value_on_a_later_day_confirms_only_a_fact_that_must_stay_fresh():
    firm = make.enterprise(registered_region="510105")
    vocabulary = facts.current_vocabulary()
    assert vocabulary.facts["registered_region"].fresh_for is not None
    done = make.learn(firm, registered_region="510105", valid_on=date(2026, 8, 1))
    assert (done.rows, done.changed) == (1, [])
    assert make.learn(firm, registered_region="510105", valid_on=date(2026, 8, 1)).rows == 0


def test_a_fact_past_its_freshness_is_warned_of_and_still_known():
    firm = make.enterprise(registered_region="510105", insured_staff=3)
    assert facts.stale_facts(enterprise=firm, day=date(2026, 1, 2)) == []
    stale = facts.stale_facts(enterprise=firm, day=date(2036, 1, 2))
    assert "registered_region" in [fact.key for fact in stale]
    assert "2026-01-01" in stale[0].warning
    assert facts.profile_as_of(enterprise=firm, day=date(2036, 1, 2))["registered_region"] == "510105"


def test_a_fact_of_the_future_waits_for_its_day():
    firm = make.enterprise(insured_staff=40)
    done = make.learn(firm, insured_staff=60, valid_on=date(2026, 12, 1))
    assert (done.rows, done.changed) == (1, [])
    assert Profile.objects.get(enterprise=firm).facts == {"insured_staff": 40}
    december = datetime(2026, 12, 1, 1, tzinfo=UTC)
    assert facts.refresh_due(day=date(2026, 11, 30), now=december) == []
    assert facts.refresh_due(day=date(2026, 12, 1), now=december) == [firm.pk]
    assert facts.refresh_due(day=date(2026, 12, 1), now=december) == []
    assert Profile.objects.get(enterprise=firm).facts == {"insured_staff": 60}


def test_years_can_be_laid_over_those_that_are_known():
    firm = make.enterprise(revenue={"2024": "100", "2025": "110"})
    new = facts.NewFact(firm.pk, "revenue", {"2025": "120"}, "税务", date(2026, 3, 1), merge_years=True)
    facts.record_many(facts=[new], now=make.NOW)
    assert Profile.objects.get(enterprise=firm).facts["revenue"] == {"2024": "100", "2025": "120"}
    assert facts.record_many(facts=[new], now=make.NOW).rows == 0


def test_two_enterprises_in_one_call_are_all_or_nothing():
    one, other = make.enterprise(), make.enterprise()
    with pytest.raises(InvalidInput) as refused:
        facts.record_many(
            facts=[
                facts.NewFact(one.pk, "insured_staff", 1, "社保", make.TODAY),
                facts.NewFact(other.pk, "insured_staff", "1.5e3", "社保", make.TODAY),
                facts.NewFact(other.pk, "no_such_fact", 1, "社保", make.TODAY),
                facts.NewFact(other.pk, "above_scale", True, "", make.TODAY),
            ],
            now=make.NOW,
        )
    assert [problem.path for problem in refused.value.problems] == [
        f"{other.pk}.insured_staff",
        f"{other.pk}.no_such_fact",
        f"{other.pk}.above_scale",
    ]
    assert not Fact.objects.exists()


def test_what_is_recorded_later_wins_even_if_the_earlier_clock_ran_ahead():
    firm = make.enterprise()
    facts.record(
        enterprise=firm, key="insured_staff", value=1, source="甲", valid_on=make.TODAY, now=JULY.replace(year=2027)
    )
    facts.record(enterprise=firm, key="insured_staff", value=2, source="乙", valid_on=make.TODAY, now=make.NOW)
    assert facts.profile_as_of(enterprise=firm, day=make.TODAY) == {"insured_staff": 2}


def test_many_enterprises_cost_a_bounded_number_of_queries(django_assert_max_num_queries):
    firms = [make.enterprise() for _ in range(30)]
    new = [facts.NewFact(firm.pk, "insured_staff", 7, "社保", make.TODAY) for firm in firms]
    with django_assert_max_num_queries(12):
        facts.record_many(facts=new, now=make.NOW)
