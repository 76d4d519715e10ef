from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opsloop.console.marking import matches, numbered


def marked(text: str, question: str) -> list[str]:
    return [piece.text for piece in matches(text, question) if piece.is_marked]


def test_words_that_were_asked_for_are_marked_whatever_their_ending() -> None:
    text = "Batteries have a warranty. The battery's charger has none."
    assert marked(text, "Is there a warranty on batteries?") == ["Batteries", "warranty", "battery's"]


def test_words_that_say_nothing_are_not_marked() -> None:
    assert marked("This is what it is.", "what is it") == []


@given(st.text(), st.text())
def test_the_pieces_of_a_text_are_the_text(text: str, question: str) -> None:
    assert "".join(piece.text for piece in matches(text, question)) == text


def test_a_quote_in_the_answer_gets_its_number_where_it_ends() -> None:
    pieces = numbered("One day. Two days, at most.", ["Two\n days", "One day."])
    assert [(piece.text, piece.number) for piece in pieces] == [("One day.", 2), (" Two days", 1), (", at most.", 0)]


def test_a_quote_that_the_answer_does_not_hold_gets_no_place() -> None:
    assert [(piece.text, piece.number) for piece in numbered("In other words.", ["(a+)+$", ""])] == [
        ("In other words.", 0)
    ]


def test_an_answer_in_other_words_is_cut_at_its_own_marks() -> None:
    pieces = numbered("It is a month [1][2]. No more [9]; see [1].", ["30 days", "thirty days"])
    assert [(piece.text, piece.number) for piece in pieces] == [
        ("It is a month", 1),
        ("", 2),
        (". No more [9]; see", 1),
        (".", 0),
    ]


@given(st.text(st.characters(exclude_characters="[")), st.lists(st.text(max_size=5), max_size=5))
def test_the_pieces_of_an_answer_are_the_answer(answer: str, quotes: list[str]) -> None:
    assert "".join(piece.text for piece in numbered(answer, quotes)) == answer
