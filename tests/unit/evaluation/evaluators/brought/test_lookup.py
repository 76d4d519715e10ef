"""Functions, classes and installed packages as evaluators."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.evaluators.asking import ITSELF, Asked
from opsloop.evaluation.evaluators.brought.lookup import evaluator_of
from opsloop.evaluation.evaluators.registry import Evaluator
from opsloop.evaluation.models import ExperimentEvaluator

SOURCE = '''
from collections import Counter

async def shared(answer, truth, *, least: int = 1):
    return sum((Counter(answer) & Counter(truth)).values()) >= least

class Near:
    """Made once, with `init`."""

    def __init__(self, within=1):
        self.within = within

    def __call__(self, *, response, ground_truth, **more):
        return {"near": abs(response - ground_truth) <= self.within, "reason": "by distance"}
'''


def use(**declared: Any) -> ExperimentEvaluator:
    return ExperimentEvaluator(**{"name": "mine", "metric": "mine", **declared})


def found(**declared: Any) -> Evaluator:
    return evaluator_of(use(**declared), field="evaluators[0]")


def answers(evaluator: Evaluator, *rows: dict[str, Any]) -> list[Asked]:
    assert evaluator.make_ask is not None
    ask = evaluator.make_ask({})
    assert ask is not None

    async def answer() -> list[Asked]:
        return list(await ask(rows))

    return asyncio.run(answer())


def test_a_function_of_a_file_takes_its_arguments_by_name() -> None:
    evaluator = found(function="checks/mine.py:shared", source=SOURCE)
    assert [(each.name, each.required) for each in evaluator.inputs] == [
        ("answer", True),
        ("truth", True),
        ("least", False),
    ]
    assert evaluator.inputs[0].usual[0] == "run.outputs.answer"
    assert evaluator.inputs[1].usual[0] == "data.truth"
    first, second = answers(evaluator, {"answer": "ab", "truth": "b"}, {"answer": "ab", "truth": "b", "least": 2})
    assert (first.scores, second.scores) == ({ITSELF: 1.0}, {ITSELF: 0.0})


def test_a_class_of_a_file_is_made_with_init_and_called() -> None:
    evaluator = found(function="mine.py:Near", source=SOURCE, init={"within": 2})
    assert [each.name for each in evaluator.inputs] == ["response", "ground_truth"]
    assert answers(evaluator, {"response": 5, "ground_truth": 7}) == [Asked({"near": 1.0}, note="reason: by distance")]


def test_what_is_mapped_reaches_a_call_that_takes_any_name() -> None:
    evaluator = found(function="mine.py:Near", source=SOURCE, mappings={"extra": "${data.x}"})
    assert [each.name for each in evaluator.inputs] == ["response", "ground_truth", "extra"]


def test_a_function_of_an_installed_module_is_found() -> None:
    evaluator = found(function="difflib:get_close_matches", higher_is_better=False, worst=9.0)
    assert [(each.name, each.required) for each in evaluator.inputs][:2] == [("word", True), ("possibilities", True)]
    assert (evaluator.higher_is_better, evaluator.worst, evaluator.outputs) == (False, 9.0, None)


def test_the_source_of_a_function_is_read_and_not_run_before_the_run() -> None:
    evaluator = found(function="bad.py:score", source="raise RuntimeError('ran')\ndef score(answer): return 1\n")
    assert [each.name for each in evaluator.inputs] == ["answer"]
    with pytest.raises(RuntimeError, match="ran"):
        answers(evaluator, {"answer": 1})


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"function": "no colon"}, r"evaluators\[0\]\.function.*file\.py:name"),
        ({"function": "mine.py:score"}, r"evaluators\[0\]\.source: wanted the text of mine\.py"),
        ({"function": "mine.py:other", "source": SOURCE}, "that this file defines"),
        ({"function": "mine.py:score", "source": "def score(:"}, "a file that is Python"),
        ({"function": "no_such_module:f"}, "'no_such_module' is not installed"),
        ({"function": "math:no_such"}, "AttributeError"),
        ({"function": "math:dist"}, "takes its arguments by name"),
        ({"function": "fractions:Fraction"}, "objects of this class cannot be called"),
        ({"function": "math:pi"}, "a function, or a class"),
        ({"source": SOURCE}, "a function beside it"),
        ({"name": "token_fl"}, "did you mean 'token_f1'"),
    ],
)
def test_what_cannot_be_used_is_told_before_a_row_runs(declared: dict[str, Any], expected: str) -> None:
    with pytest.raises(ExperimentInvalid, match=expected):
        found(**declared)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A distribution with its metadata, as an installer leaves it."""
    (tmp_path / "acme_checks.py").write_text(
        "from typing import overload\n"
        "from opsloop.evaluation.evaluators.registry import ANSWER, Evaluator\n\n"
        "def brief(answer: str) -> bool:\n    return len(answer) < 10\n\n"
        "class Relevance:\n"
        "    def __init__(self, threshold=3):\n        self.threshold = threshold\n\n"
        "    @overload\n    def __call__(self, *, query: str, response: str) -> dict: ...\n"
        "    @overload\n    def __call__(self, *, conversation: list) -> dict: ...\n"
        "    def __call__(self, *args, **kwargs):\n"
        "        score = 4.0 if kwargs['query'] in kwargs['response'] else 1.0\n"
        "        result = 'pass' if score >= self.threshold else 'fail'\n"
        "        return {'relevance': score, 'relevance_result': result, 'relevance_reason': 'it says so'}\n\n"
        "loud = Evaluator('loud', (ANSWER,), lambda _: lambda values: float(values['answer'].isupper()))\n"
        "nothing = 3\n"
    )
    metadata = tmp_path / "acme_checks-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-checks\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[opsloop.evaluators]\nbrief = acme_checks:brief\nrelevance = acme_checks:Relevance\n"
        "loud = acme_checks:loud\nnothing = acme_checks:nothing\nbroken = acme_checks_missing:x\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("acme_checks", None)


@pytest.mark.usefixtures("installed")
def test_the_evaluators_of_an_installed_package_go_by_their_entry_points() -> None:
    assert answers(found(name="brief"), {"answer": "short"})[0].scores == {ITSELF: 1.0}
    loud = found(name="loud")
    assert loud.make_score({})({"answer": "LOUD"}) == 1.0


@pytest.mark.usefixtures("installed")
def test_a_class_as_azure_ai_evaluation_has_them_gives_its_numbers_and_its_reason() -> None:
    evaluator = found(name="relevance", init={"threshold": 2})
    assert {each.name: each.required for each in evaluator.inputs} == {
        "query": False,
        "response": False,
        "conversation": False,
    }
    assert answers(evaluator, {"query": "leave", "response": "25 days of leave", "conversation": None}) == [
        Asked({"relevance": 4.0}, note="relevance_result: pass\nrelevance_reason: it says so")
    ]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "expected"),
    [("nothing", "can be called.*int"), ("broken", "acme_checks_missing"), ("relevanc", "'relevance'")],
)
def test_a_package_whose_evaluator_cannot_be_used_is_told(name: str, expected: str) -> None:
    with pytest.raises(ExperimentInvalid, match=expected):
        found(name=name)
