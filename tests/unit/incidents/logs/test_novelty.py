from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.errors import InvalidInput
from opsloop.incidents.logs.fingerprint import fingerprint
from opsloop.incidents.logs.lines import lines_of
from opsloop.incidents.logs.novelty import Baseline, novel, words_of

HEALTHY = "\n".join(
    [
        "Downloading wheels for 12 packages",
        *(f"tests/test_{name}.py passed in {name == 'cart'} s" for name in ("cart", "stock", "prices")),
        "BUILD SUCCESS after 31 s",
    ]
)
FAILED = """Downloading wheels for 13 packages
tests/test_cart.py passed in True s
AssertionError: total is 3, 4 was wanted
AssertionError: total is 5, 6 was wanted
BUILD FAILURE after 12 s"""


def test_only_lines_that_no_healthy_run_prints_are_novel() -> None:
    found = list(novel(lines_of(FAILED), Baseline.of(lines_of(HEALTHY))))
    assert [each.line.number for each in found] == [3, 5]
    assert [each.score for each in found] == [1, 1]
    assert next(novel(lines_of("BUILD STOPPED after 3 s"), Baseline.of(["BUILD SUCCESS after 31 s"]))).score == 0.5


def test_repeats_are_given_when_asked_for() -> None:
    found = novel(lines_of(FAILED), Baseline.of(lines_of(HEALTHY)), repeats=True)
    assert [each.line.number for each in found] == [3, 4, 5]


def test_a_line_of_nearly_the_same_words_is_not_novel() -> None:
    baseline = Baseline.of(["resolved the package numpy from the index in time"])
    assert not list(novel(lines_of("resolved the package scipy from the index in time"), baseline))


def test_a_word_of_failure_is_novel_however_alike_the_rest_is() -> None:
    baseline = Baseline.of(["step unpack of the archive from the cache ended well"])
    failed = "step unpack of the archive from the cache failed well"
    assert [each.line.text for each in novel(lines_of(failed), baseline)] == [failed]


def test_a_huge_baseline_and_hostile_lines_are_compared_in_bounded_steps() -> None:
    words = ["".join(each) for each in itertools.product("abcdefgh", repeat=5)]
    baseline = Baseline.of(f"the same {word} here and there" for word in words[:20_000])
    lines = lines_of("\n".join(f"the same {word} there or nowhere" for word in words[-300:]))
    assert len(list(novel(lines, baseline))) in (0, 300)


@given(st.lists(st.text(max_size=60), max_size=20), st.lists(st.text(max_size=60), max_size=20))
def test_nothing_that_a_healthy_run_printed_is_novel(healthy: list[str], failed: list[str]) -> None:
    baseline = Baseline.of(healthy)
    known = {fingerprint(text) for text in healthy}
    lines = lines_of("\n".join(failed))
    found = list(novel(lines, baseline))
    assert all(each.fingerprint not in known and 0 < each.score <= 1 for each in found)
    assert [each.line.number for each in found] == sorted({each.line.number for each in found})


def test_a_baseline_survives_json_and_holds_no_text() -> None:
    baseline = Baseline.of(["password is hunter", "listening on 8080"])
    content = json.dumps(baseline.to_json())
    assert "hunter" not in content
    again = Baseline.from_json(json.loads(content))
    assert again.to_json() == baseline.to_json()
    assert again.likeness(words_of("password is hunter")) == 1


def test_merged_baselines_know_what_any_of_them_printed() -> None:
    both = Baseline.of(["alpha began"]).merged(Baseline.of(["omega ended"]))
    assert both.runs == 2
    assert not list(novel(lines_of("alpha began\nomega ended"), both))


@pytest.mark.parametrize("content", [{}, {"version": 99}, {"version": 1, "runs": 1, "shapes": {"a": ["x"]}}])
def test_what_is_no_baseline_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Baseline.from_json(content)


def test_everything_is_novel_to_an_empty_baseline_but_lines_without_words() -> None:
    assert [each.line.text for each in novel(lines_of("boom happened\n====\n"), Baseline())] == ["boom happened"]
