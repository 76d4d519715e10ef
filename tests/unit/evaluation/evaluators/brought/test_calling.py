"""What a callable gives, read strictly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from opsloop.evaluation.evaluators.asking import ITSELF, Asked
from opsloop.evaluation.evaluators.brought.calling import answer_of, asking


def asked(function: Callable[..., Any], *rows: dict[str, Any]) -> Sequence[Asked]:
    async def answer() -> Sequence[Asked]:
        return await asking(lambda: function)(rows)

    return asyncio.run(answer())


@pytest.mark.parametrize(("value", "expected"), [(0.5, 0.5), (3, 3.0), (True, 1.0), (False, 0.0), (np.float32(2), 2.0)])
def test_a_number_is_the_metric_itself(value: Any, expected: float) -> None:
    assert answer_of(value) == Asked({ITSELF: expected})


def test_a_mapping_names_its_numbers_and_its_texts_are_notes() -> None:
    found = answer_of({"score": 4, "passed": True, "reason": "it is short", "parts": [1, 2]})
    assert found == Asked({"score": 4.0, "passed": 1.0}, note="reason: it is short")


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), "0.5", b"1", [0.5], {}, {"reason": "no number"}])
def test_what_is_no_number_is_told_and_not_dropped(value: Any) -> None:
    assert "wanted" in (answer_of(value).error or "")


def test_one_nan_in_a_mapping_leaves_the_other_numbers() -> None:
    assert answer_of({"a": 1.0, "b": float("nan"), "c": None}).scores == {"a": 1.0, "b": None, "c": None}


def test_synchronous_and_asynchronous_functions_are_called_by_name() -> None:
    def plain(answer: str, truth: str = "x") -> bool:
        return answer == truth

    async def waiting(answer: str, truth: str = "x") -> bool:
        await asyncio.sleep(0)
        return answer == truth

    for function in (plain, waiting):
        found = asked(
            function, {"answer": "x", "truth": None}, {"answer": "y", "truth": "y"}, {"answer": "y", "truth": "x"}
        )
        assert [each.scores[ITSELF] for each in found] == [1.0, 1.0, 0.0]


def test_a_row_on_which_a_function_fails_fails_alone() -> None:
    def fragile(answer: int) -> float:
        if answer == 0:
            raise SystemExit(3)
        return 1 / (answer - 1)

    zero, one, two = asked(fragile, {"answer": 0}, {"answer": 1}, {"answer": 2})
    assert zero.error == "SystemExit: 3"
    assert one.error == "ZeroDivisionError: division by zero"
    assert two.scores == {ITSELF: 1.0}


def test_an_object_with_a_call_is_called() -> None:
    class Measure:
        async def __call__(self, *, response: str) -> dict[str, float]:
            return {"length": len(response)}

    assert asked(Measure(), {"response": "four"})[0].scores == {"length": 4.0}
