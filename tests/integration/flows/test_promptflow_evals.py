"""What users' Python imports of promptflow-evals: a target over rows, and measures of its answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.flows.compat.evaluate import evaluate
from opsloop.flows.compat.evaluators import F1ScoreEvaluator, GroundednessEvaluator
from opsloop.testing.model_server import ModelServer


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    found = [{"question": "how warm", "truth": "mild"}, {"question": "how cold", "truth": "cold as ice"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in found))
    return file


def target(question: str) -> dict[str, str]:
    return {"answer": question.removeprefix("how ")}


def test_each_row_is_asked_and_measured(rows: Path, tmp_path: Path) -> None:
    found = evaluate(
        data=str(rows),
        target=target,
        evaluators={"f1": F1ScoreEvaluator(), "length": lambda answer: len(answer)},
        evaluator_config={"f1": {"column_mapping": {"answer": "${target.answer}", "ground_truth": "${data.truth}"}}},
        output_path=str(tmp_path),
        evaluation_name="named",
    )
    assert found["metrics"] == {"f1.f1_score": pytest.approx(0.25), "length.output": 4.0}
    assert found["rows"][1]["inputs.truth"] == "cold as ice"
    assert found["rows"][1]["outputs.answer"] == "cold"
    assert found["rows"][1]["outputs.f1.f1_score"] == pytest.approx(0.5)
    assert json.loads((tmp_path / "named.json").read_text())["metrics"] == found["metrics"]


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("not json")
    with pytest.raises(InvalidInput, match="JSON lines"):
        evaluate(data=str(tmp_path / "rows.jsonl"), evaluators={})


def test_a_model_says_how_well_an_answer_is_supported() -> None:
    with ModelServer() as server:
        model = {"type": "openai", "base_url": server.base_url, "api_key": "key", "model": "m"}
        judge = GroundednessEvaluator(model)
        found = judge(context="It is cold.", answer="Cold.")
    assert 1.0 <= found["gpt_groundedness"] <= 5.0
    with pytest.raises(ValueError, match="GroundednessEvaluator needs context as text"):
        judge(answer="Cold.")
