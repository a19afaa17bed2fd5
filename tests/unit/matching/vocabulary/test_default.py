"""The default vocabulary: enough facts, true code lists, no list unused."""

import re

from matching.criteria import FactType, Scope
from matching.vocabulary import load_default, load_default_data

CHENGDU = {
    "510104": "锦江区",
    "510105": "青羊区",
    "510106": "金牛区",
    "510107": "武侯区",
    "510108": "成华区",
    "510112": "龙泉驿区",
    "510113": "青白江区",
    "510114": "新都区",
    "510115": "温江区",
    "510116": "双流区",
    "510117": "郫都区",
    "510118": "新津区",
    "510121": "金堂县",
    "510129": "大邑县",
    "510131": "蒲江县",
    "510181": "都江堰市",
    "510182": "彭州市",
    "510183": "邛崃市",
    "510184": "崇州市",
    "510185": "简阳市",
}


def test_there_are_at_least_sixty_facts_and_fifteen_that_the_form_asks_for():
    facts = load_default().facts.values()
    assert len(facts) >= 60
    assert sum(fact.scope is Scope.APPLICATION for fact in facts) >= 15
    assert {fact.type for fact in facts} == set(FactType)


def test_every_fact_names_its_source_and_every_amount_its_unit():
    for fact in load_default().facts.values():
        assert fact.source, fact.key
        assert fact.unit or fact.type not in (FactType.NUMBER, FactType.YEARLY), fact.key


def test_every_code_list_is_used_by_a_fact():
    vocabulary = load_default()
    assert set(vocabulary.code_lists) == {fact.codes for fact in vocabulary.facts.values() if fact.codes}


def test_all_districts_and_counties_of_chengdu_stand_under_their_city():
    regions = load_default().code_lists["region"]
    assert {code: name for code, name in regions.codes.items() if re.fullmatch("5101..", code)} == CHENGDU
    assert regions.ancestors("510105") == ("510105", "5101", "51")
    assert regions.descendants("5101") == {"5101", *CHENGDU}


def test_every_industry_division_stands_under_its_section():
    industries = load_default().code_lists["industry"]
    divisions = [f"{number:02d}" for number in range(1, 98)]
    assert set(industries.codes) == {*divisions, *"ABCDEFGHIJKLMNOPQRST"}
    assert {industries.ancestors(division)[-1] for division in divisions} == set("ABCDEFGHIJKLMNOPQRST")
    assert industries.covers("C", "37")
    assert industries.covers("I", "65")
    assert not industries.covers("I", "66")


def test_sizes_and_qualifications_cover_what_they_contain():
    lists = load_default().code_lists
    assert lists["size"].descendants("sme") == {"sme", "micro", "small", "medium"}
    assert lists["qualification"].covers("specialised", "little_giant")
    assert set(lists["tax_credit_grade"].codes) == set("ABMCD")


def test_the_data_are_handed_out_fresh_each_time():
    load_default_data()["facts"].clear()
    assert load_default_data()["facts"]
