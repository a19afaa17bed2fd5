"""The data of search: synonyms, the domain's words."""

from matching.search.synonyms import all_words, synonyms
from matching.search.tokenise import domain_words, index_tokens, normalise, version


def test_groups_lead_both_ways_and_sayings_one() -> None:
    assert "补助" in synonyms("补贴")
    assert "补贴" in synonyms("补助")
    assert "贷款" in synonyms("借钱")
    assert "借钱" not in synonyms("贷款")


def test_no_word_is_its_own_synonym_and_none_counts_as_much_as_the_word_itself() -> None:
    for word in all_words():
        told = synonyms(word)
        assert word not in told, word
        assert all(0 < weight < 1 for weight in told.values()), word


def test_the_data_is_written_as_texts_are_normalised() -> None:
    assert [word for word in domain_words() | all_words() if word != normalise(word)] == []


def test_a_domain_word_is_cut_whole_with_the_words_inside() -> None:
    assert index_tokens("高新技术企业")[-1] == "高新技术企业"
    assert "高新" in index_tokens("高新技术企业")


def test_the_version_is_that_of_the_dictionary() -> None:
    assert len(version()) == 16
