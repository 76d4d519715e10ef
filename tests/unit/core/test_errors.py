from __future__ import annotations

from opsloop.core.errors import ExtraNeeded, InvalidInput, Kind, NotFound, shown


def test_bad_input_names_field_value_and_wanted_form() -> None:
    error = InvalidInput(field="endpoints.chat.share", value=1.5, wanted="a number from 0 to 1")
    assert error.sentence == "endpoints.chat.share: is 1.5; wanted a number from 0 to 1"
    assert error.kind is Kind.INVALID


def test_an_error_keeps_its_facts() -> None:
    error = NotFound(noun="endpoint", name="chat")
    assert error.facts == {"noun": "endpoint", "name": "chat"}
    assert str(error) == "no endpoint named 'chat'"


def test_the_slug_of_an_error_is_its_name_in_words() -> None:
    assert ExtraNeeded.slug() == "extra-needed"


def test_a_long_value_is_shortened() -> None:
    assert shown("x" * 1_000, limit=10) == "'xxxxxxxx…"
    assert len(shown("x" * 1_000)) == 80
