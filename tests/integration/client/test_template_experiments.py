"""Experiments in the shape of Microsoft's genaiops template, run as they lie in their folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opsloop.client import experiment_files, experiments
from opsloop.client.experiment_files import ExperimentFileInvalid
from opsloop.client.http import Client
from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.evaluation.models import RunStatus

STANDARD = """\
inputs:
  text: {type: string}
outputs:
  category: {type: string, reference: "${classify.output}"}
nodes:
- name: classify
  use_variants: true
node_variants:
  classify:
    default_variant_id: variant_0
    variants:
      variant_0: {node: {type: python, source: {type: code, path: good.py}, inputs: {text: "${inputs.text}"}}}
      variant_1: {node: {type: python, source: {type: code, path: poor.py}, inputs: {text: "${inputs.text}"}}}
"""
GOOD = "import os\nfrom promptflow.core import tool\n\n@tool\ndef classify(text: str) -> str:\n    return text[:1]\n"
POOR = "from promptflow.core import tool\n\n@tool\ndef classify(text: str) -> str:\n    return 'a'\n"
EVALUATION = """\
inputs:
  groundtruth: {type: string}
  prediction: {type: string}
outputs:
  grade: {type: string, reference: "${grade.output}"}
nodes:
- name: grade
  type: python
  source: {type: code, path: grade.py}
  inputs: {groundtruth: "${inputs.groundtruth}", prediction: "${inputs.prediction}"}
- name: accuracy
  type: python
  aggregation: true
  source: {type: code, path: accuracy.py}
  inputs: {grades: "${grade.output}"}
"""
GRADE = (
    "from promptflow.core import tool\n\n@tool\ndef grade(groundtruth: str, prediction: str) -> str:\n"
    "    return 'Correct' if groundtruth == prediction else 'Incorrect'\n"
)
ACCURACY = (
    "from promptflow.core import log_metric, tool\n\n@tool\ndef accuracy(grades: list) -> float:\n"
    "    log_metric('accuracy', grades.count('Correct') / len(grades))\n"
    "    log_metric('odd', float('nan'))\n"
)
FLEX = "entry: rating:Rating\n"
RATING = """\
class Rating:
    def __init__(self, scale: int):
        self.scale = scale

    def __call__(self, code: str):
        return {"length": {"score": len(code) * self.scale, "explanation": "It is as long as it is, which is " + code}}

    def __aggregate__(self, line_results: list) -> dict:
        return {"total": len(line_results)}
"""
EXPERIMENT = """\
name: classes
flow: flows/standard
connections:
- name: aoai
  connection_type: AzureOpenAIConnection
  api_base: https://models.example/
  api_version: 2023-07-01-preview
  api_key: ${api_key}
  api_type: azure
datasets:
- name: classes_train
  source: data/data.jsonl
  description: "This dataset is for prompt experiments."
  mappings:
    text: "${data.text}"
    math_question: "${data.text}"
evaluators:
- name: graded
  flow: flows/evaluation
  datasets:
  - name: classes_test
    reference: classes_train
    source: data/eval.jsonl
    mappings:
      groundtruth: "${data.answer}"
      prediction: "${run.outputs.category}"
- name: rated
  flow: flows/rating
  datasets:
  - name: classes_test
    reference: classes_train
    source: data/rated.jsonl
    mappings:
      code: "${data.code}"
      answer: "${target.category}"
runtime: automatic
"""
OVERLAY = """\
name: something_else
datasets:
- name: classes_pr
  source: data.jsonl
  mappings: {text: "${data.text}"}
evaluators:
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AOAI_API_KEY", "from the environment")
    texts = [f"{'abc'[place % 3]}{place}" for place in range(12)]
    files = {
        "flows/standard/flow.dag.yaml": STANDARD,
        "flows/standard/good.py": GOOD,
        "flows/standard/poor.py": POOR,
        "flows/evaluation/flow.dag.yaml": EVALUATION,
        "flows/evaluation/grade.py": GRADE,
        "flows/evaluation/accuracy.py": ACCURACY,
        "flows/rating/flow.flex.yaml": FLEX,
        "flows/rating/rating.py": RATING,
        "flows/rating/init.json": '{"scale": 2}',
        "data/data.jsonl": "".join(json.dumps({"text": text}) + "\n" for text in texts),
        "data/eval.jsonl": "".join(json.dumps({"answer": text[0]}) + "\n" for text in texts),
        "data/rated.jsonl": "".join(json.dumps({"code": "x" * place}) + "\n" for place in range(10)),
        "experiment.yaml": EXPERIMENT,
        "experiment.pr.yaml": OVERLAY,
        "experiment.dev.yaml": "",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path / "experiment.yaml"


def test_evaluation_flows_grade_each_row_and_all_rows(client: Client, file: Path) -> None:
    run = experiments.run(client, file)

    assert (run.status, run.error, run.failed_rows) == (RunStatus.DONE, None, 0)
    assert run.metrics["graded.Correct"].value == 1.0
    assert run.metrics["rated.length.score"].value == pytest.approx(9.0)
    assert (run.metrics["rated.length.score"].rows, run.metrics["rated.length.score"].failed) == (10, 2)
    assert run.aggregates == {"graded.accuracy": 1.0, "rated.total": 10.0}
    rows = client.evaluations.rows(run.id)
    assert rows[11].errors["rated.length.score"] == "dataset classes_test@2 has no row 12"
    assert "graded.Correct" in rows[0].scores


def test_what_was_read_otherwise_than_it_stands_is_told(client: Client, file: Path) -> None:
    run = experiments.run(client, file)

    assert any("datasets[0].mappings.math_question was left out" in each for each in run.warnings)
    assert any("evaluators[1].mappings.answer was left out" in each for each in run.warnings)
    assert "evaluator graded logged no number as odd" in run.warnings


def test_no_secret_of_the_environment_is_kept(client: Client, file: Path) -> None:
    run = experiments.run(client, file)

    assert b"from the environment" not in client.evaluations.report(run.id, form="json")


def test_a_secret_that_the_environment_lacks_fails_the_run_by_its_name(
    client: Client, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AOAI_API_KEY")
    run = experiments.run(client, file)

    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert "AOAI_API_KEY" in run.error


def test_an_overlay_replaces_whole_blocks(client: Client, file: Path) -> None:
    run = experiments.run(client, file, env="pr")

    assert (run.experiment, run.dataset, list(run.metrics)) == ("classes", "classes_pr@1", ["completed"])
    assert run.aggregates == {}


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_an_empty_overlay_and_none_change_nothing(file: Path, env: str) -> None:
    found = experiment_files.read(file, env=env)

    assert [each.name for each in found.experiment.datasets] == ["classes_train"]
    assert len(found.notes) == (env == "prod")


def test_evaluators_lose_the_datasets_that_an_overlay_takes_away(file: Path) -> None:
    file.with_name("experiment.test.yaml").write_text("datasets:\n- {name: other, source: data/data.jsonl}\n")
    found = experiment_files.read(file, env="test")

    assert found.experiment.evaluators == ()
    assert found.notes == tuple(
        f"evaluator {name} has no dataset under experiment.test.yaml and is left out" for name in ("graded", "rated")
    )


@pytest.mark.parametrize(
    "written",
    [
        "- a list",
        "name: x\ndatasets: {a: b}",
        "name: x\ndatasets: [1]",
        "name: x\ndatasets: [{name: 1}]",
        "name: x\ndatasets: [{name: d}]\nevaluators: [x]",
        "name: x\ndatasets: [{name: d}]\nevaluators: [{name: e, datasets: [x]}]",
        "name: x\ndatasets: [{name: d}]\nevaluators: [{name: e, datasets: {a: b}}]",
        "name: x\ndatasets: [{name: d}]\nconnections: [x]",
        "name: x\ndatasets: [{name: d}]\nconnections: [{name: c}]",
        "name: x\ndatasets: [{name: d}]\nconnections: [{name: c, connection_type: CustomConnection, configs: x}]",
        "name: x\ndatasets: [{name: d}]\nenvironment_variables: [x]",
        "name: x\ndatasets: [{name: d}]\nenvironment_variables: {A: [1]}",
        "name: x\ndatasets: [{name: d}]\nbudget: 5",
        "name: x\ndatasets: [{name: d}]\nvariants: {select: 3}",
        "name: x\ndatasets: [{name: d}]\ntarget: [x]",
    ],
)
@pytest.mark.parametrize("env", [None, "test"])
def test_whatever_stands_in_a_file_is_refused_with_a_sentence(file: Path, written: str, env: str | None) -> None:
    (file.parent / "environment").mkdir()
    (file.parent / "environment" / "env.yaml").write_text("A_OF_TEST: b\n")
    file.with_name("experiment.test.yaml").write_text("datasets: [{name: d}]\n")
    file.write_text(written)
    is_of_datasets = (
        written.endswith(("datasets: {a: b}", "datasets: [1]", "datasets: [{name: 1}]")) and "evaluators" not in written
    )
    if env is not None and is_of_datasets:  # the overlay has others
        assert experiment_files.read(file, env=env).experiment.datasets[0].name == "d"
        return
    with pytest.raises(InvalidInput, match=r"experiment\.yaml"):
        experiment_files.read(file, env=env)


def test_variables_lie_in_a_file_of_their_own(client: Client, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "environment").mkdir()
    (file.parent / "environment" / "env.yaml").write_text("TONE_OF_TEST: ${TONE_ELSEWHERE}\nverbose_of_test: false\n")
    (file.parent / "flows/standard/good.py").write_text(
        GOOD.replace("text[:1]", "os.environ['TONE_OF_TEST'] + os.environ['VERBOSE_OF_TEST']")
    )
    missing = experiments.run(client, file)
    monkeypatch.setenv("TONE_ELSEWHERE", "calm")
    run = experiments.run(client, file)

    assert missing.error is not None
    assert "TONE_ELSEWHERE" in missing.error
    assert client.evaluations.rows(run.id)[0].outputs == {"category": "calmfalse"}


def test_a_rule_may_speak_of_what_an_evaluation_flow_gives(client: Client, file: Path) -> None:
    gate = "gate:\n  rules:\n  - {metric: graded.Correct, at_least: 0.7}\n"
    file.write_text(EXPERIMENT + gate)
    run = experiments.run(client, file)
    assert client.evaluations.gate(run.id).verdict == "pass"

    file.write_text(EXPERIMENT + gate.replace("graded.Correct", "gradd.Correct"))
    with pytest.raises(InvalidInput, match=r"gate\.rules\[0\]\.metric"):
        experiments.run(client, file)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("${data.answer}", "${data.anwser}", r"evaluators\[0\]\.mappings\.groundtruth.*did you mean 'answer'"),
        ("${run.outputs.category}", "${run.outputs.categry}", "did you mean 'category'"),
        ("      prediction:", "      predictoin:", "did you mean 'prediction'"),
        ("flow: flows/evaluation", "flow: flows/evaluaton", "flow version"),
    ],
)
def test_what_an_evaluation_flow_cannot_get_is_said_before_a_row_runs(
    client: Client, file: Path, before: str, after: str, expected: str
) -> None:
    file.write_text(EXPERIMENT.replace(before, after))
    with pytest.raises(OpsloopError, match=expected):
        experiments.run(client, file)
    assert client.evaluations.listed() == []


def test_a_secret_in_the_file_is_refused(file: Path) -> None:
    file.write_text(EXPERIMENT.replace("${api_key}", "sk-1234567890"))
    with pytest.raises(ExperimentFileInvalid, match=r"connections\[0\]\.api_key") as caught:
        experiment_files.read(file)
    assert "1234567890" not in str(caught.value)


def test_each_variant_is_a_run_of_one_study(client: Client, file: Path) -> None:
    run = experiments.run(client, file, variants="*")
    runs = client.evaluations.study_of(run)

    assert [each.variant for each in runs] == ["", "classify.variant_1"]
    assert run.study is not None
    assert {each.study for each in runs} == {run.study}
    assert [each.metrics["graded.Correct"].value for each in runs] == [1.0, pytest.approx(1 / 3)]
    assert [each.aggregates["graded.accuracy"] for each in runs] == [1.0, pytest.approx(1 / 3)]
    assert all(each.cut is None for each in runs)


def declared(file: Path, **changes: Any) -> None:
    file.write_text(EXPERIMENT + "".join(f"{name}: {json.dumps(value)}\n" for name, value in changes.items()))


def test_a_variant_that_loses_is_stopped_on_the_way(client: Client, file: Path) -> None:
    rows = [f"{'abc'[place % 3]}{place}" for place in range(200)]
    (file.parent / "data/data.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in rows))
    (file.parent / "data/eval.jsonl").write_text("".join(json.dumps({"answer": text[0]}) + "\n" for text in rows))
    declared(file, variants={"metric": "graded.Correct"})
    best, worse = client.evaluations.study_of(experiments.run(client, file))

    assert best.cut is None
    assert worse.cut is not None
    assert "it lost to the defaults: graded.Correct 0." in worse.cut
    records = client.evaluations.rows(worse.id)
    ran = [each for each in records if each.skipped is None]
    assert len(records) == 200
    assert 5 < len(ran) < 100
    assert worse.metrics["graded.Correct"].rows == len(ran)
    assert worse.metrics["graded.Correct"].not_applicable == 0


def test_halving_keeps_the_better_half(client: Client, file: Path) -> None:
    declared(file, variants={"by": "successive_halving", "metric": "graded.Correct", "alpha": 1e-9})
    best, worse = client.evaluations.study_of(experiments.run(client, file))

    assert (best.variant, best.cut, worse.cut) == ("", None, None)  # two of them: both go to the end


def test_a_budget_ends_a_run_and_says_so(client: Client, file: Path) -> None:
    (file.parent / "flows/standard/ask.jinja2").write_text("user:\n{{text}}\n")
    (file.parent / "flows/standard/flow.dag.yaml").write_text(
        "inputs: {text: {type: string}}\n"
        'outputs: {category: {type: string, reference: "${ask.output}"}}\n'
        "nodes:\n- {name: ask, type: llm, source: {type: code, path: ask.jinja2}, api: chat,"
        ' inputs: {model: m, text: "${inputs.text}"}}\n'
    )
    declared(file, budget={"calls": 5})
    run = experiments.run(client, file)

    assert run.status is RunStatus.DONE
    assert run.cut == "the budget of 5 calls was used up (5 of 12 rows)"
    rows = client.evaluations.rows(run.id)
    assert sum(each.skipped is None for each in rows) == 5
    assert all(each.scores == {} and each.error is None for each in rows if each.skipped)
    assert run.metrics["completed"].rows == 5
    assert run.prompt_tokens


SCRIPT = """\
from promptflow.evals.evaluate import evaluate
from promptflow.evals.evaluators import F1ScoreEvaluator

from PACKAGE.flows.standard.good import classify


def eval_use_case(run_name, data_id, column_mapping, output_path, azure_service={}):
    return evaluate(
        evaluation_name=run_name,
        data=data_id,
        target=classify,
        evaluators={"f1": F1ScoreEvaluator()},
        evaluator_config={"f1": column_mapping},
        output_path=f"{output_path}/{run_name}.json",
    )
"""


def test_functions_over_all_rows_are_an_evaluator_too(client: Client, file: Path) -> None:
    package = file.parent.name
    (file.parent / "flows/own").mkdir()
    (file.parent / "flows/own/eval_words.py").write_text(SCRIPT.replace("PACKAGE", package))
    mappings = {"answer": "${target.output}", "ground_truth": "${data.letter}"}
    rows = [{"text": f"{'abc'[place % 3]}{place}", "letter": "a"} for place in range(12)]
    (file.parent / "data/letters.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    used = {"name": "letters", "reference": "classes_train", "source": "data/letters.jsonl", "mappings": mappings}
    base, _, _ = EXPERIMENT.partition("evaluators:")
    file.write_text(base + "evaluators: " + json.dumps([{"name": "own", "flow": "flows/own", "datasets": [used]}]))

    for share in (1 / 3, 1 / 3):  # once more, with what the first left in this process
        run = experiments.run(client, file)
        assert (run.status, run.error, run.warnings[1:]) == (RunStatus.DONE, None, ())
        assert run.aggregates == {"own.f1.f1_score": pytest.approx(share)}
        assert list(run.metrics) == ["completed"]
