"""Evaluators, against values computed by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.evaluation.errors import CannotScore, ExperimentInvalid
from opsloop.evaluation.evaluators import registry
from opsloop.evaluation.evaluators.rouge_l import common_subsequence, rouge_l
from opsloop.evaluation.evaluators.squad import normalised


def score(name: str, options: dict[str, Any] | None = None, /, **values: Any) -> float | None:
    return registry.find(name, field="evaluators[0].name").make_score(options or {})(values)


def test_squad_normalises_case_punctuation_articles_and_space() -> None:
    assert normalised("  The Eiffel-Tower,  an icon!") == ["eiffeltower", "icon"]


@pytest.mark.parametrize(
    ("answer", "truth", "f1", "exact"),
    [
        ("The cat sat.", "a cat sat", 1.0, 1.0),
        ("the cat sat on the mat", "cat mat", 2 * (2 / 4) * 1 / (2 / 4 + 1), 0.0),  # precision 2/4, recall 2/2
        ("cat cat", "cat", 2 / 3, 0.0),
        ("dog", "cat", 0.0, 0.0),
        ("", "cat", 0.0, 0.0),
        ("the", "", 1.0, 1.0),
        ("dog", ["cat", "a dog"], 1.0, 1.0),
        (42, 42, 1.0, 1.0),
    ],
)
def test_token_f1_and_exact_match_compare_as_squad_does(answer: object, truth: object, f1: float, exact: float) -> None:
    values = {"answer": answer, "truth": truth}
    assert score("token_f1", **values) == pytest.approx(f1)
    assert score("exact_match", **values) == exact


@pytest.mark.parametrize(
    ("abstained", "answerable", "expected"), [(True, False, 1.0), (False, False, 0.0), (True, True, 0.0)]
)
def test_a_question_without_an_answer_is_right_only_when_nothing_is_answered(
    abstained: bool, answerable: bool, expected: float
) -> None:
    values = {"answer": "words", "truth": "words", "abstained": abstained, "answerable": answerable}
    assert score("token_f1", **values) == expected


def test_rouge_l_is_the_f1_of_the_longest_common_subsequence() -> None:
    # Lin 2004, section 3.1: "police killed the gunman" / "police kill the gunman": LCS 3 of 4 and 4 words.
    assert rouge_l("police kill the gunman", "police killed the gunman") == pytest.approx(3 / 4)
    assert rouge_l("the gunman kill police", "police killed the gunman") == pytest.approx(2 / 4)
    assert rouge_l("", "") == 1.0
    assert score("rouge_l", answer="x y", truth=["a", "x y"]) == 1.0


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_the_longest_common_subsequence_is_symmetric_and_bounded(first: list[str], second: list[str]) -> None:
    found = common_subsequence(first, second)
    assert found == common_subsequence(second, first)
    assert 0 <= found <= min(len(first), len(second))
    assert common_subsequence(first, first) == len(first)


def test_a_text_too_long_for_rouge_l_is_said_and_not_awaited() -> None:
    with pytest.raises(CannotScore, match="5,001 words"):
        rouge_l("a " * 5_001, "a")


def test_contains_looks_for_any_truth_whatever_the_case() -> None:
    assert score("contains", answer="It is PARIS.", truth="paris") == 1.0
    assert score("contains", {"case_sensitive": True}, answer="It is PARIS.", truth="paris") == 0.0
    assert score("contains", answer="It is Rome", truth=["paris", "rome"]) == 1.0


def test_regex_finds_its_pattern() -> None:
    assert score("regex", {"pattern": r"^\d{3}$"}, answer="123") == 1.0
    assert score("regex", {"pattern": r"^\d{3}$"}, answer="1234") == 0.0


@pytest.mark.parametrize("options", [{}, {"pattern": "("}, {"pattern": 3}])
def test_a_wrong_pattern_is_refused_before_any_row(options: dict[str, Any]) -> None:
    with pytest.raises(ExperimentInvalid, match=r"options\.pattern"):
        registry.find("regex", field="x").make_score(options)


@pytest.mark.parametrize(
    ("abstained", "answerable", "expected"),
    [(True, False, 1.0), (False, True, 1.0), (True, True, 0.0), (False, False, 0.0), ("true", "no", 1.0)],
)
def test_abstention_is_right_when_it_matches_the_data(abstained: object, answerable: object, expected: float) -> None:
    assert score("abstention", abstained=abstained, answerable=answerable) == expected


def test_abstention_does_not_apply_where_the_data_do_not_say() -> None:
    assert score("abstention", abstained=True, answerable=None) is None


PASSAGES = [{"text": "Employees get 25 days of leave.\nUnused days expire."}, "Dental care is covered."]


def test_an_answer_quoted_from_a_passage_is_supported() -> None:
    citations = [{"quote": "Employees get 25 days of leave."}]
    values = {"passages": PASSAGES, "citations": citations}
    assert score("citation_support", answer="Employees get 25 days of leave.", **values) == 1.0
    # Content terms: employees, get, 25, days, leave, holiday; five of the six are in the quote.
    assert score("citation_support", answer="Employees get 25 days of leave and a holiday.", **values) == pytest.approx(
        5 / 6
    )


def test_one_quote_that_no_passage_holds_makes_the_answer_unsupported() -> None:
    citations = [{"quote": "Employees get 25 days of leave."}, {"quote": "Employees get 30 days of leave."}]
    assert score("citation_support", answer="Employees get leave", passages=PASSAGES, citations=citations) == 0.0


def test_a_quote_over_a_line_end_is_found() -> None:
    citations = ["of leave. Unused days"]
    assert score("citation_support", answer="Unused days", passages=PASSAGES, citations=citations) == 1.0


def test_an_answer_without_citations_is_not_supported_and_an_abstention_is_not_measured() -> None:
    assert score("citation_support", answer="Yes, 25 days", passages=PASSAGES, citations=[]) == 0.0
    assert score("citation_support", answer="No idea", passages=[], citations=[], abstained=True) is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("token_f1", {"answer": {"text": "x"}, "truth": "x"}),
        ("citation_support", {"answer": "x", "passages": "x", "citations": []}),
        ("citation_support", {"answer": "x", "passages": ["x"], "citations": [{"page": 1}]}),
        ("abstention", {"abstained": "perhaps", "answerable": True}),
    ],
)
def test_an_output_of_the_wrong_form_is_said_to_be_so(name: str, values: dict[str, Any]) -> None:
    with pytest.raises(CannotScore, match="wanted"):
        score(name, **values)


def test_latency_is_the_time_of_the_row_and_lower_is_better() -> None:
    assert score("latency", latency_ms=12.5) == 12.5
    assert not registry.known()["latency"].higher_is_better


@given(st.text(max_size=60), st.text(max_size=60))
def test_every_text_measure_stays_between_0_and_1(answer: str, truth: str) -> None:
    for name in ("token_f1", "exact_match", "rouge_l", "contains"):
        found = score(name, answer=answer, truth=truth)
        assert found is not None
        assert math.isfinite(found)
        assert 0.0 <= found <= 1.0


def test_an_unknown_evaluator_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ExperimentInvalid, match="did you mean 'token_f1'"):
        registry.find("token_fl", field="evaluators[0].name")
