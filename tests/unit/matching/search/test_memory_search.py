"""The embedded engine over a handful of documents: what is found, in which order, and what is counted."""

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.search import Document, Request, SearchEngine, create_engine
from matching.search.tokenise import index_tokens

TODAY = date(2026, 11, 22)


def document(code: str, title: str, head: str = "", *, kind: str = "item", **fields: Any) -> Document:
    words = {"title": " ".join(index_tokens(title)), "head": " ".join(index_tokens(head))}
    facets = {name: tuple(codes) for name, codes in fields.pop("facets", {}).items()}
    return Document(code, kind, title, words, code, facets, published=fields.pop("published", "20260101"), **fields)


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


def engine(documents: list[Document] = CORPUS) -> SearchEngine:
    made = create_engine("memory")
    made.put(documents)
    return made


def found(text: str, **asked: Any) -> list[str]:
    return [hit.id for hit in engine().search(Request(text, **asked)).hits]


def test_everyday_words_find_what_documents_write() -> None:
    assert found("小微") == ["loan"]
    assert set(found("补贴", kind="item")) == {"hightech", "rent", "patent", "jobs"}
    assert found("房租")[0] in {"rent", "reading"}


def test_pinyin_in_full_and_by_initials_finds_words() -> None:
    for typed in ("gxjs", "gaoxinjishu", "gao xin ji shu", "gxjsqy"):
        assert found(typed) == ["hightech"], typed


def test_initials_across_words_of_a_title_find_it() -> None:
    assert found("fmzlzz") == ["patent"]


def test_a_wrong_character_is_forgiven_and_told() -> None:
    results = engine().search(Request("高薪技术企业"))
    assert [hit.id for hit in results.hits] == ["hightech"]
    assert results.corrected == "高新技术企业"


def test_a_missing_character_is_forgiven() -> None:
    assert found("高新术企业") == ["hightech"]


def test_what_is_written_rightly_is_not_corrected() -> None:
    assert engine().search(Request("租金补贴")).corrected == ""


def test_part_of_a_word_finds_it() -> None:
    assert found("稳岗返") == ["jobs"]


def test_the_title_counts_more_than_the_rest() -> None:
    documents = [document("a", "人才引进", "也可用于租金"), document("b", "租金减免", "面向人才")]
    made = engine(documents)
    assert [hit.id for hit in made.search(Request("租金")).hits] == ["b", "a"]
    assert [hit.id for hit in made.search(Request("人才")).hits] == ["a", "b"]


def test_a_document_that_holds_everything_is_whole() -> None:
    results = engine().search(Request("专利租金"))
    assert results.hits
    assert not results.together
    assert engine().search(Request("租金补贴")).together


def test_without_words_everything_is_found_the_latest_first() -> None:
    documents = [document("old", "甲", published="20250101"), document("new", "乙", published="20260101")]
    assert [hit.id for hit in engine(documents).search(Request()).hits] == ["new", "old"]


def test_kinds_are_counted_whatever_kind_is_asked_for() -> None:
    results = engine().search(Request("租金", kind="item"))
    assert [hit.id for hit in results.hits] == ["rent"]
    assert results.facets.kinds == {"item": 1, "reading": 1}


def test_a_facet_counts_what_every_other_choice_leaves() -> None:
    results = engine().search(Request(kind="item", chosen={"department": {"zsj"}, "size": {"micro"}}, today=TODAY))
    assert [hit.id for hit in results.hits] == ["rent"]
    assert results.facets.counts["department"] == {"zsj": 1, "jrj": 1}
    assert results.facets.counts["size"] == {"micro": 1}
    assert results.facets.open_now == 1


def test_open_now_leaves_out_what_is_closed() -> None:
    assert "jobs" not in found("", kind="item", today=TODAY, open_now=True)
    assert "jobs" in found("", kind="item", today=TODAY)


def test_what_fits_me_narrows_and_comes_first() -> None:
    documents = [document("a", "租金补贴"), document("b", "租金补贴")]
    made = engine(documents)
    assert [hit.id for hit in made.search(Request("租金", prefer={"b": 1.3})).hits] == ["b", "a"]
    narrowed = made.search(Request("租金", only=frozenset({"b"}), prefer={"b": 1.3}))
    assert [hit.id for hit in narrowed.hits] == ["b"]
    assert narrowed.facets.fitting == 1


def test_nothing_found_gives_the_nearest_words() -> None:
    results = engine().search(Request("专权"))
    assert results.hits == ()
    assert "知识产权" in results.nearest
    assert engine().search(Request("租金")).nearest == ()


def test_a_document_that_was_replaced_or_removed_is_not_found_by_its_old_words() -> None:
    made = engine()
    made.put([document("rent", "装修补贴")])
    assert [hit.id for hit in made.search(Request("租金")).hits] == ["reading"]
    made.remove(["rent", "nobody"])
    assert made.search(Request("装修")).hits == ()


def test_suggestions_are_words_then_titles() -> None:
    told = engine().suggest("高新")
    assert [(entry.text, entry.id) for entry in told] == [
        ("高新技术企业", ""),
        ("高新技术企业认定奖励", "hightech"),
    ]


def test_suggestions_come_by_initials_and_by_kind() -> None:
    assert "hightech" in [entry.id for entry in engine().suggest("gxjs")]
    assert [entry.id for entry in engine().suggest("一图", kind="reading")] == ["reading"]
    assert engine().suggest("一图", kind="item") == []
    assert engine().suggest("x") == engine().suggest(" ") == []


@settings(deadline=None, max_examples=40)
@given(st.permutations(CORPUS), st.sampled_from(["补贴", "企业贷款", "gx", "租今", "专利 租金"]))
def test_the_order_does_not_depend_on_how_documents_came_in(documents: list[Document], text: str) -> None:
    assert engine(documents).search(Request(text)) == engine().search(Request(text))


@settings(deadline=None, max_examples=200)
@given(
    st.text(alphabet=st.one_of(st.sampled_from("高新技术补贴租金贷款gxjs %_'\"\\()*"), st.characters()), max_size=120)
)
def test_any_text_can_be_searched_for_and_suggested_from(text: str) -> None:
    made = _SHARED
    assert made.search(Request(text)).facets.kinds is not None
    assert len(made.suggest(text)) <= 8


_SHARED = engine()
