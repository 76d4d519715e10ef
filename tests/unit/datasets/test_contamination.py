"""Contamination, on texts whose sequences of words are counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.datasets.contamination import check
from opsloop.datasets.contamination_models import Contaminated, ContaminationReport, Passage

# Fifteen words: eight sequences of eight words.
LONG = "when does the parental leave of a contractor begin after the second year of service"
SHORT = "Where is the handbook?"


def found_in(golden: list[dict[str, Any]], rows: list[dict[str, Any]], threshold: float = 0.7) -> list[Contaminated]:
    return list(check("golden@1", golden, {"train@1": rows}, (), threshold=threshold).found)


def test_case_spacing_and_marks_do_not_hide_a_row() -> None:
    found = found_in([{"q": "no"}, {"q": LONG}], [{"x": 1}, {"x": f"Q: {LONG.upper().replace(' ', '  ')}?!"}])
    assert found == [Contaminated(2, "q", "train@1", 2, False, 1.0, True)]


def test_the_share_counts_sequences_of_eight_words() -> None:
    # The thirteenth word of fifteen differs: the sequences that start at words 6 to 8 hold it, five of eight do not.
    near = LONG.replace("year", "month")
    assert found_in([{"q": LONG}], [{"x": near}]) == []
    assert found_in([{"q": LONG}], [{"x": near}], threshold=0.625) == [
        Contaminated(1, "q", "train@1", 1, False, 0.625, False)
    ]


def test_a_short_text_has_to_stand_there_whole() -> None:
    rows = [{"x": "ask where is the handbook please"}, {"x": "where is a handbook"}, {"x": "where is the handbooks"}]
    assert [(each.at, each.exact) for each in found_in([{"q": SHORT}], rows)] == [(1, True)]


def test_texts_of_less_than_four_words_tell_nothing() -> None:
    report = check("golden@1", [{"q": "Paris is nice"}, {"q": SHORT}], {"t@1": [{"x": "Paris is nice"}]}, ())
    assert (report.judged, report.short, report.rows) == (1, 1, 0)
    assert str(report) == "0 of 1 rows of golden@1 stand in t@1 (1 rows are too short to tell)"


def test_a_prompt_is_named_with_the_line() -> None:
    prompt = Passage(
        "flows/answer/prompt.jinja2", f"system:\nAnswer.\n\nQ: {LONG.replace(' leave', chr(10) + 'leave')}\n"
    )
    report = check("golden@1", [{"q": LONG, "a": "yes"}], {}, [prompt])
    assert str(report.found[0]) == "row 1, q: word for word in flows/answer/prompt.jinja2, line 4"
    assert (report.rows, report.sources) == (1, ("flows/answer/prompt.jinja2",))


def test_texts_inside_lists_and_objects_are_read_on_both_sides() -> None:
    golden = [{"chat": [{"role": "user", "content": LONG}]}]
    assert [each.column for each in found_in(golden, [{"messages": {"turns": [LONG]}}])] == ["chat"]


def test_rows_are_counted_once_however_often_they_stand_elsewhere() -> None:
    report: ContaminationReport = check("golden@1", [{"q": LONG}], {"t@1": [{"x": LONG}] * 3}, [Passage("p", LONG)])
    assert (report.rows, len(report.found)) == (1, 4)


def test_other_letters_are_compared_in_their_normal_form() -> None:
    assert found_in([{"q": "où est le café ﬁnal"}], [{"x": "OÙ EST LE CAFE\u0301 FINAL"}])[0].exact


def test_a_threshold_that_is_no_share_is_refused() -> None:
    with pytest.raises(InvalidInput, match="threshold"):
        found_in([{"q": LONG}], [], threshold=0)
