"""What is kept of what people write."""

from __future__ import annotations

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.feedback import words


def test_personal_data_is_taken_out_and_the_rest_stays() -> None:
    said = "Write to ana.lima@example.com or pay to DE89 3704 0044 0532 0130 00; 28 days, not 20 👍"
    assert words.cleaned("comment", said, limit=1_000) == "Write to [EMAIL] or pay to [IBAN]; 28 days, not 20 👍"


def test_words_without_any_stay_as_they_are() -> None:
    said = "<script>alert(1)</script> Отпуск 休暇 {{7*7}}"
    assert words.cleaned("comment", said, limit=100) == said
    assert words.cleaned("comment", " \n ", limit=100) is None


@pytest.mark.parametrize("tag", ["", "x" * 41, "-a", "a\nb", "call +49 30 901820", "<b>"])
def test_a_tag_in_the_wrong_form_is_refused(tag: str) -> None:
    with pytest.raises(InvalidInput, match="tags"):
        words.tags("tags", [tag])


def test_tags_are_kept_in_lower_case_and_once() -> None:
    assert words.tags("tags", ["Leave", " leave ", "Urlaub/Zeit"]) == ["leave", "urlaub/zeit"]
