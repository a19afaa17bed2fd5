"""Recording in any order, against a model that simply keeps every assertion: the table may leave out what says nothing
new, the answers may not differ."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.models import Fact, Profile
from matching.registry.models import OutboxMessage
from matching.services import facts
from tests.factories import matching as make
from tests.rounds import examples

KEY = "insured_staff"
DAYS = [date(2026, 1, 1) + timedelta(days=30 * n) for n in range(5)]
START = datetime(2026, 6, 1, tzinfo=UTC)

assertions = st.lists(st.tuples(st.sampled_from([None, 1, "1.0", 2]), st.sampled_from(DAYS)), max_size=8)


def model(told, day, known):
    """The value on a day, by the first `known` assertions: the latest day counts, and of one day what was said last."""
    best = None
    for number, (value, valid_on) in enumerate(told[:known]):
        if valid_on <= day and (best is None or (valid_on, number) >= best[0]):
            best = ((valid_on, number), value)
    return best and best[1]


@pytest.mark.slow
@pytest.mark.django_db
@settings(max_examples=examples(60))
@given(assertions)
def test_what_the_table_leaves_out_changes_no_answer(spoken):
    firm = make.enterprise(now=START)
    events = OutboxMessage.objects.filter(payload__enterprise_id=firm.pk).count()
    told, changes, before = [], 0, None
    for number, (value, valid_on) in enumerate(spoken):
        # Taking back what is not known says nothing, to the model either.
        if value is None and model(told, valid_on, len(told)) is None:
            continue
        told.append((value, valid_on))
        now = START + timedelta(days=number)
        facts.record(enterprise=firm, key=KEY, value=value, source="社保", valid_on=valid_on, now=now)
        after = model(told, now.date(), len(told))
        changes += number_of(after) != number_of(before)
        before = after
        for day in DAYS:
            known = facts.profile_as_of(enterprise=firm, day=day).get(KEY)
            assert number_of(known) == number_of(model(told, day, len(told)))
    recorded = sorted(set(Fact.objects.filter(enterprise=firm).values_list("recorded_at", flat=True)))
    for instant in recorded:
        known_then = sum(1 for number in range(len(told)) if told_at(spoken, number) <= instant)
        for day in DAYS:
            known = facts.profile_as_of(enterprise=firm, day=day, known_at=instant).get(KEY)
            assert number_of(known) == number_of(model(told, day, known_then))
    profile = Profile.objects.get(enterprise=firm)
    assert number_of(profile.facts.get(KEY)) == number_of(before)
    assert OutboxMessage.objects.filter(payload__enterprise_id=firm.pk).count() == events + changes


def told_at(spoken, number):
    """When the `number`th assertion that says something was made."""
    told = []
    for position, (value, valid_on) in enumerate(spoken):
        if value is None and model(told, valid_on, len(told)) is None:
            continue
        told.append((value, valid_on))
        if len(told) == number + 1:
            return START + timedelta(days=position)
    raise AssertionError(number)


def number_of(value):
    return None if value is None else float(value)
