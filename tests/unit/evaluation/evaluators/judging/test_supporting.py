"""A judge in the place of the rule about words."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.evaluators import registry
from opsloop.evaluation.evaluators.asking import ITSELF
from opsloop.testing.model_server import ModelServer
from tests.unit.evaluation.evaluators.scores import asked

OPTIONS = {"judge": "supported@1", "rubric": "Do the passages say it?", "inputs": ["answer", "passages"], "model": "m"}
LEAVE = "Employees get 25 days of leave each year."
DENTAL = "Dental care is covered."
ANSWER = "Staff have five weeks off [1]. Teeth are paid for [1][2]. The canteen opens at noon."


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Knows that paraphrases are supported, by the passage that says it."""
    yes, no = {"json": {"score": "yes"}}, {"json": {"reason": "nothing says so", "score": "no"}}
    script = [
        {"when": {"regex": "(?s)five weeks.*25 days"}, **yes},
        {"when": {"regex": "(?s)Teeth.*Dental care"}, **yes},
        no,
    ]
    with ModelServer(script) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def test_a_judge_sees_that_a_paraphrase_is_supported(model: ModelServer) -> None:
    (found,) = asked("answer_support", [{"answer": ANSWER, "passages": [LEAVE, DENTAL], "abstained": None}], OPTIONS)
    assert found.scores[ITSELF] == pytest.approx(2 / 3)
    assert found.note == "The canteen opens at noon. - nothing says so"
    assert (found.use.calls, found.by) == (3, "m")


def test_citations_are_judged_alone_and_together(model: ModelServer) -> None:
    row = {"answer": ANSWER, "citations": [{"quote": LEAVE}, {"quote": DENTAL}], "abstained": None}
    (recall,) = asked("citation_recall", [row], OPTIONS)
    (precision,) = asked("citation_precision", [row], OPTIONS)
    assert recall.scores[ITSELF] == pytest.approx(2 / 3)
    assert precision.scores[ITSELF] == pytest.approx(2 / 3)  # the first citation of the second sentence is not needed


def test_an_abstention_asks_nothing(model: ModelServer) -> None:
    (found,) = asked("answer_support", [{"answer": ANSWER, "passages": [LEAVE], "abstained": True}], OPTIONS)
    assert (found.scores, found.applies, found.error) == ({}, False, None)
    assert model.count("chat") == 0


def test_a_judge_of_another_form_is_refused() -> None:
    make = registry.find("answer_support", field="x").make_ask
    assert make is not None
    with pytest.raises(ExperimentInvalid, match=r"options\.judge.*passages"):
        make({**OPTIONS, "inputs": ["answer"]})
    assert make({"threshold": 0.5}) is None
