from __future__ import annotations

import json

import pytest

from opsloop.core.errors import InvalidInput
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
    assert found[0].score == 1
    assert found[1].score == pytest.approx(1 - 2 / 4)


def test_repeats_are_given_when_asked_for() -> None:
    found = novel(lines_of(FAILED), Baseline.of(lines_of(HEALTHY)), repeats=True)
    assert [each.line.number for each in found] == [3, 4, 5]


def test_a_line_of_nearly_the_same_words_is_not_novel() -> None:
    baseline = Baseline.of(["resolved the package numpy from the index in time"])
    assert not list(novel(lines_of("resolved the package scipy from the index in time"), baseline))


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
