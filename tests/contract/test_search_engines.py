"""One suite for every search engine, over a handful of documents: what is found, in which order, what is counted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.search import Document, Request, Results, SearchEngine, create_engine
from matching.search.elastic.engine import ElasticSearch
from matching.search.elastic.index import ItemIndex
from matching.search.tokenise import index_tokens
from tests.rounds import examples

TODAY = date(2026, 11, 22)


def document(code: str, title: str, head: str = "", *, kind: str = "item", **fields: Any) -> Document:
    words = {"title": " ".join(index_tokens(title)), "head": " ".join(index_tokens(head))}
    facets = {name: tuple(codes) for name, codes in fields.pop("facets", {}).items()}
    told = {"published": "20260101", "version": f"{title} {head} {facets}", **fields}
    return Document(code, kind, title, words, code, facets, **told)


CORPUS = [
    document("hightech", "高新技术企业认定奖励", "首次认定的企业给予一次性奖励", facets={"department": ["kjj"]}),
    document("rent", "产业载体租金补贴", "按实际缴纳租金补贴", facets={"department": ["zsj"], "size": ["micro"]}),
    document(
        "loan", "小型微型企业贷款贴息", "流动资金贷款", facets={"department": ["jrj"], "size": ["micro", "small"]}
    ),
    document("jobs", "失业保险稳岗返还", "不裁员的企业", closes=date(2026, 6, 30)),
    document("patent", "发明专利资助", "知识产权授权", facets={"department": ["scj"]}),
    document("reading", "一图读懂租金补贴", "问答", kind="reading"),
]


_numbers = count(1)


@pytest.fixture(params=["memory", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)])
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def make(name: str, documents: list[Document] = CORPUS) -> SearchEngine:
    if name == "memory":
        made = create_engine("memory")
    else:
        made = ElasticSearch(ItemIndex(f"contract-{next(_numbers)}"))
    made.put(documents)
    return made


_held: dict[str, SearchEngine] = {}


@pytest.fixture
def engine(engine_name: str) -> SearchEngine:
    """An engine that holds CORPUS, which no test changes."""
    if engine_name not in _held:
        _held[engine_name] = make(engine_name)
    return _held[engine_name]


@pytest.fixture(scope="module", autouse=True)
def let_go() -> Iterator[None]:
    yield
    _held.clear()


def ids(results: Results) -> list[str]:
    return [hit.id for hit in results.hits]


def found(engine: SearchEngine, text: str, **asked: Any) -> list[str]:
    return ids(engine.search(Request(text, **asked)))


def test_everyday_words_find_what_documents_write(engine: SearchEngine) -> None:
    assert found(engine, "小微") == ["loan"]
    assert set(found(engine, "补贴", kind="item")) == {"hightech", "rent", "patent", "jobs"}
    assert found(engine, "房租")[0] in {"rent", "reading"}


def test_pinyin_in_full_and_by_initials_finds_words(engine: SearchEngine) -> None:
    for typed in ("gxjs", "gaoxinjishu", "gao xin ji shu", "gxjsqy"):
        assert found(engine, typed) == ["hightech"], typed


def test_initials_across_words_of_a_title_find_it(engine: SearchEngine) -> None:
    assert found(engine, "fmzlzz") == ["patent"]


def test_a_wrong_character_is_forgiven_and_told(engine: SearchEngine) -> None:
    results = engine.search(Request("高薪技术企业"))
    assert [hit.id for hit in results.hits] == ["hightech"]
    assert results.corrected == "高新技术企业"


def test_a_missing_character_is_forgiven(engine: SearchEngine) -> None:
    assert found(engine, "高新术企业") == ["hightech"]


def test_what_is_written_rightly_is_not_corrected(engine: SearchEngine) -> None:
    assert engine.search(Request("租金补贴")).corrected == ""


def test_part_of_a_word_finds_it(engine: SearchEngine) -> None:
    assert found(engine, "稳岗返") == ["jobs"]


def test_the_title_counts_more_than_the_rest(engine_name: str) -> None:
    documents = [document("a", "人才引进", "也可用于租金"), document("b", "租金减免", "面向人才")]
    made = make(engine_name, documents)
    assert [hit.id for hit in made.search(Request("租金")).hits] == ["b", "a"]
    assert [hit.id for hit in made.search(Request("人才")).hits] == ["a", "b"]


def test_a_document_that_holds_everything_is_whole(engine: SearchEngine) -> None:
    results = engine.search(Request("专利租金"))
    assert results.hits
    assert not results.together
    assert engine.search(Request("租金补贴")).together


def test_without_words_everything_is_found_the_latest_first(engine_name: str) -> None:
    documents = [document("old", "甲", published="20250101"), document("new", "乙", published="20260101")]
    assert [hit.id for hit in make(engine_name, documents).search(Request()).hits] == ["new", "old"]


def test_kinds_are_counted_whatever_kind_is_asked_for(engine: SearchEngine) -> None:
    results = engine.search(Request("租金", kind="item"))
    assert [hit.id for hit in results.hits] == ["rent"]
    assert results.facets.kinds == {"item": 1, "reading": 1}


def test_a_facet_counts_what_every_other_choice_leaves(engine: SearchEngine) -> None:
    results = engine.search(Request(kind="item", chosen={"department": {"zsj"}, "size": {"micro"}}, today=TODAY))
    assert [hit.id for hit in results.hits] == ["rent"]
    assert results.facets.counts["department"] == {"zsj": 1, "jrj": 1}
    assert results.facets.counts["size"] == {"micro": 1}
    assert results.facets.open_now == 1


def test_open_now_leaves_out_what_is_closed(engine: SearchEngine) -> None:
    assert "jobs" not in found(engine, "", kind="item", today=TODAY, open_now=True)
    assert "jobs" in found(engine, "", kind="item", today=TODAY)


def test_what_fits_me_narrows_and_comes_first(engine_name: str) -> None:
    documents = [document("a", "租金补贴"), document("b", "租金补贴")]
    made = make(engine_name, documents)
    assert [hit.id for hit in made.search(Request("租金", prefer={"b": 1.3})).hits] == ["b", "a"]
    narrowed = made.search(Request("租金", only=frozenset({"b"}), prefer={"b": 1.3}))
    assert [hit.id for hit in narrowed.hits] == ["b"]
    assert narrowed.facets.fitting == 1


def test_nothing_found_gives_the_nearest_words(engine: SearchEngine) -> None:
    results = engine.search(Request("专权"))
    assert results.hits == ()
    assert "知识产权" in results.nearest
    assert engine.search(Request("租金")).nearest == ()


def test_a_document_that_was_replaced_or_removed_is_not_found_by_its_old_words(engine_name: str) -> None:
    made = make(engine_name)
    made.put([document("rent", "装修补贴")])
    assert [hit.id for hit in made.search(Request("租金")).hits] == ["reading"]
    made.remove(["rent", "nobody"])
    assert made.search(Request("装修")).hits == ()


def test_suggestions_are_words_then_titles(engine: SearchEngine) -> None:
    told = engine.suggest("高新")
    assert [(entry.text, entry.id) for entry in told] == [
        ("高新技术企业", ""),
        ("高新技术企业认定奖励", "hightech"),
    ]


def test_suggestions_come_by_initials_and_by_kind(engine: SearchEngine) -> None:
    assert "hightech" in [entry.id for entry in engine.suggest("gxjs")]
    assert [entry.id for entry in engine.suggest("一图", kind="reading")] == ["reading"]
    assert engine.suggest("一图", kind="item") == []
    assert engine.suggest("x") == engine.suggest(" ") == []


def test_a_page_of_the_hits_is_cut_out_and_all_are_counted(engine_name: str) -> None:
    made = make(engine_name, [document(f"d{n}", "租金补贴", facets={"size": ["micro"]}) for n in range(7)])
    asked = made.search(Request("租金", start=2, size=3, today=TODAY))
    assert (ids(asked), asked.total, asked.whole) == (["d2", "d3", "d4"], 7, 7)
    assert asked.facets.counts["size"] == {"micro": 7}
    beyond = made.search(Request("租金", start=9, size=3))
    assert (ids(beyond), beyond.total, beyond.together) == ([], 7, True)


def test_what_fits_me_may_be_thousands(engine_name: str) -> None:
    made = make(engine_name, [document("a", "租金补贴"), document("b", "租金补贴"), document("c", "租金补贴")])
    many = frozenset(f"x{n}" for n in range(70_000)) | {"c"}
    results = made.search(Request("租金", only=many, prefer=dict.fromkeys(many, 1.3) | {"b": 1.1}))
    assert ids(results) == ["c"]
    assert results.facets.fitting == 2
    assert ids(made.search(Request("租金", prefer={"c": 1.3, "b": 1.1}))) == ["c", "b", "a"]


def test_an_engine_without_documents_answers(engine_name: str) -> None:
    made = make(engine_name, [])
    assert made.search(Request("租金补贴")).total == made.search(Request()).total == 0
    assert made.suggest("租金") == []


def embedded(documents: list[Document] = CORPUS) -> SearchEngine:
    return make("memory", documents)


@settings(deadline=None, max_examples=examples(40))
@given(st.permutations(CORPUS), st.sampled_from(["补贴", "企业贷款", "gx", "租今", "专利 租金"]))
def test_the_order_does_not_depend_on_how_documents_came_in(documents: list[Document], text: str) -> None:
    assert embedded(documents).search(Request(text)) == embedded().search(Request(text))


_TYPED = st.one_of(st.sampled_from("高新技术补贴租金贷款gxjs %_'\"\\()*"), st.characters(codec="utf-8"))
TEXTS = st.text(alphabet=_TYPED, max_size=120)
WORDS = st.lists(
    st.sampled_from(["高新", "技术", "补贴", "租金", "贷款", "企业", "专利", "稳岗", "gxjs", "租今"]), max_size=5
).map("".join)


@settings(deadline=None, max_examples=examples(200))
@given(TEXTS)
def test_any_text_can_be_searched_for_and_suggested_from(text: str) -> None:
    if "memory" not in _held:
        _held["memory"] = embedded()
    assert _held["memory"].search(Request(text)).facets.kinds is not None
    assert len(_held["memory"].suggest(text)) <= 8


@pytest.mark.elasticsearch
@settings(deadline=None, max_examples=examples(60))
@given(
    st.one_of(TEXTS, WORDS),
    st.sampled_from(["", "item", "reading"]),
    st.booleans(),
    st.sampled_from([{}, {"size": {"micro"}}, {"size": {"micro"}, "department": {"zsj", "jrj"}}]),
    st.sampled_from([{}, {"rent": 1.3, "loan": 1.1}]),
)
def test_both_engines_answer_alike(
    text: str, kind: str, open_now: bool, chosen: dict[str, set[str]], prefer: dict[str, float]
) -> None:
    for name in ("memory", "elasticsearch"):
        if name not in _held:
            _held[name] = make(name)
    asked = Request(text, kind, chosen, TODAY, open_now, prefer=prefer)
    ours, theirs = (_held[name].search(asked) for name in ("memory", "elasticsearch"))
    assert ids(ours) == ids(theirs)
    assert [hit.score for hit in theirs.hits] == pytest.approx([hit.score for hit in ours.hits], rel=1e-5)
    assert [hit.whole for hit in ours.hits] == [hit.whole for hit in theirs.hits]
    assert replace(theirs, hits=ours.hits) == ours
    assert _held["memory"].suggest(text, kind=kind) == _held["elasticsearch"].suggest(text, kind=kind)
