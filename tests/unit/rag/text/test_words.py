from __future__ import annotations

import struct
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from opsloop.rag.text.words import count_words, has_words, sentences, stored_terms, term_id, term_ids, terms


def split(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]


def test_terms_are_folded_stemmed_and_without_stop_words() -> None:
    assert terms("What ARE the deductibles of Maria's plan?") == ["deduct", "maria", "plan"]


def test_a_text_in_chinese_becomes_pairs_of_characters() -> None:
    assert terms("北京大学") == ["北京", "京大", "大学"]


def test_a_curly_apostrophe_is_the_straight_one() -> None:
    assert terms("the employee\u2019s plan") == terms("the employee's plan")


def test_term_ids_are_the_crc_of_the_terms() -> None:
    assert term_id("123456789") == 0xCBF43926  # the check value published for CRC-32
    assert list(term_ids("plans of leave")) == [term_id("plan"), term_id("leav")]


@given(st.text(max_size=60))
def test_stored_terms_are_the_ids_of_the_terms_in_little_endian(text: str) -> None:
    assert stored_terms(text) == struct.pack(f"<{len(terms(text))}I", *map(term_id, terms(text)))
    assert has_words(text) == (count_words(text) > 0)


def test_abbreviations_and_numbers_do_not_end_a_sentence() -> None:
    text = "Dr. Smith moved to the U.S. in 1990. He paid $3.50 for it! Was it e.g. Boston?"
    assert split(text) == ["Dr. Smith moved to the U.S. in 1990.", "He paid $3.50 for it!", "Was it e.g. Boston?"]


def test_a_closing_quote_belongs_to_its_sentence() -> None:
    assert split('She said "Yes." Then she left.') == ['She said "Yes."', "Then she left."]


def test_bullets_and_empty_lines_separate_sentences() -> None:
    assert split("You need: • a form • a stamp\n\nSend it") == ["You need:", "• a form", "• a stamp", "Send it"]


def test_full_width_stops_end_a_sentence() -> None:
    assert split("今天很好。明天呢\uff1f") == ["今天很好。", "明天呢\uff1f"]


def test_a_text_without_any_border_is_cut_into_slices() -> None:
    parts = split(" ".join(f"word{number}" for number in range(200)))
    assert [count_words(part) for part in parts] == [80, 80, 40]


@given(st.text(alphabet=st.sampled_from("ab .!?\n•;:\"'A1。\t"), max_size=300))
def test_sentences_cover_every_word_in_order_without_overlap(text: str) -> None:
    spans = sentences(text)
    assert all(text[span.start : span.end].strip() == text[span.start : span.end] != "" for span in spans)
    assert all(left.end <= right.start for left, right in pairwise(spans))
    covered = "".join(text[span.start : span.end] for span in spans)
    assert "".join(covered.split()) == "".join(text.split())
