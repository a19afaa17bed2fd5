"""Words are marked where they stand; a snippet shows the place with most of them."""

from matching.search.highlight import pieces, snippet


def test_the_longest_word_is_marked_where_several_stand() -> None:
    assert pieces("高新技术企业奖励", ["高新", "高新技术企业"]) == [("高新技术企业", True), ("奖励", False)]


def test_upper_and_lower_case_are_alike() -> None:
    assert pieces("企业IPO奖励", ["ipo"]) == [("企业", False), ("IPO", True), ("奖励", False)]


def test_without_words_the_text_is_one_piece() -> None:
    assert pieces("甲", []) == [("甲", False)]
    assert pieces("", ["甲"]) == []


def test_special_characters_are_only_characters() -> None:
    assert pieces("a.b(c", [".", "("]) == [("a", False), (".", True), ("b", False), ("(", True), ("c", False)]


def test_a_snippet_is_cut_around_the_words() -> None:
    text = "甲" * 100 + "租金补贴" + "乙" * 100
    shown = snippet(text, ["租金"])
    assert "租金补贴" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) <= 90


def test_a_text_without_the_words_has_no_snippet() -> None:
    assert snippet("甲乙丙", ["租金"]) == ""
