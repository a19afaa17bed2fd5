"""Chinese queries become the words to look for."""

from hypothesis import given
from hypothesis import strategies as st

from matching.search.tokenise import normalise, tokenise


def test_a_sentence_is_cut_into_words() -> None:
    assert tokenise("知识产权质押贷款贴息") == ["知识产权质押", "贷款贴息"]


def test_full_width_letters_and_capitals_are_made_plain() -> None:
    assert normalise("  ＡＢＣ　高新 ") == "abc 高新"


def test_punctuation_is_no_word() -> None:
    assert tokenise("？！%_ \\ ' \"") == []


@given(st.text())
def test_any_text_gives_normal_words_each_once(text: str) -> None:
    words = tokenise(text)
    assert len(words) == len(set(words))
    assert all(word == normalise(word) for word in words)
