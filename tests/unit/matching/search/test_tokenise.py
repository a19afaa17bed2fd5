"""Chinese queries become the words to look for."""

from hypothesis import given
from hypothesis import strategies as st

from matching.search.tokenise import LONGEST_QUERY, MOST_TOKENS, normalise, query_tokens, tokenise


def test_a_sentence_is_cut_into_words() -> None:
    assert tokenise("知识产权质押贷款贴息") == ["知识产权质押", "贷款贴息"]


def test_full_width_letters_and_capitals_are_made_plain() -> None:
    assert normalise("  ＡＢＣ　高新 ") == "abc 高新"


def test_words_that_tell_nothing_are_left_out_of_a_query() -> None:
    assert query_tokens("我的企业怎么申请房租补贴") == ["申请", "房租补贴"]


def test_a_query_of_such_words_alone_keeps_them() -> None:
    assert query_tokens("企业") == ["企业"]


def test_punctuation_is_no_word() -> None:
    assert query_tokens("？！%_ \\ ' \"") == []


@given(st.text())
def test_any_text_gives_a_bounded_number_of_normal_words(text: str) -> None:
    words = query_tokens(text)
    assert len(words) <= MOST_TOKENS
    assert all(word == normalise(word) and len(word) <= 4 * LONGEST_QUERY for word in words)
