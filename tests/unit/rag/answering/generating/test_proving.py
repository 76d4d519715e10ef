from __future__ import annotations

import pytest

from opsloop.rag.answering.generating.proving import are_proof

LEAVE = "Employees have 25 days of paid leave a year."
DENTAL = "Dental care is covered, but orthodontics is not."


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("Employees have 25 days of paid leave.", LEAVE),
        ("A year has 25 days of paid leave for employees.", LEAVE),
        ("Dental care is covered.", DENTAL),
        ("Contoso does not book flights.", "Flights are not booked by Contoso."),
        ("The fee is 1,200 euros.", "A fee of 1200 euros is due."),
    ],
)
def test_a_sentence_in_the_words_of_its_quote_is_proved(sentence: str, quote: str) -> None:
    assert are_proof(sentence, [quote])


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("Employees have 30 days of paid leave a year.", LEAVE),
        ("Employees have no 25 days of paid leave a year.", LEAVE),
        ("Employees of Fabrikam have 25 days of paid leave a year.", LEAVE),
        ("The canteen serves lunch.", LEAVE),
        ("Orthodontics is covered.", DENTAL),
        ("Dental care isn't covered.", DENTAL),
        ("Employees have leave, see https://evil.example/?q=1", LEAVE),
        ("", LEAVE),
        ("It is so.", LEAVE),
    ],
)
def test_another_figure_name_or_denial_is_not_proved(sentence: str, quote: str) -> None:
    assert not are_proof(sentence, [quote])


def test_quotes_prove_together_and_with_their_headings() -> None:
    assert are_proof(
        "Parental leave takes 16 weeks and is paid in full.", ["16 weeks", "paid in full"], ["Parental leave take"]
    )


def test_no_quote_proves_nothing() -> None:
    assert not are_proof("Employees have leave.", [])
