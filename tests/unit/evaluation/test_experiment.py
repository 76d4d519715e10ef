"""experiment.yaml: the template's shape with our fields, and sentences for what is wrong in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.experiment import parse
from opsloop.evaluation.verdicts import Rule

SAMPLE = Path(__file__).parents[3] / "examples" / "support-chatbot" / "experiment.yaml"

TEMPLATE = """
name: web_classification
flow: flows/standard
connections: []
datasets:
- name: golden
  source: data/data.jsonl
  description: Rows to run
  mappings: {url: '${data.url}'}
- name: nightly
  source: azureml:nightly_rows:4
evaluators:
- name: exact_match
  flow: flows/evaluation
  datasets:
  - name: golden_test
    reference: golden
    source: data/data.jsonl
    mappings: {truth: '${data.category}', answer: '${run.outputs.category}'}
runtime: automatic
"""


def declared(**changes: Any) -> dict[str, Any]:
    return {"name": "answers", "datasets": [{"name": "golden"}], "evaluators": [{"name": "token_f1"}], **changes}


def sentence(values: object) -> str:
    with pytest.raises(ExperimentInvalid) as caught:
        parse(values)
    return caught.value.sentence


def test_the_sample_project_declares_what_it_says() -> None:
    experiment = parse(YAML(typ="safe").load(SAMPLE.read_text()))
    assert [each.name for each in experiment.evaluators] == ["token_f1", "abstention", "citation_support", "latency"]
    assert experiment.datasets[0].mappings == {"question": "${data.question}", "chat_history": []}
    assert experiment.gate is not None
    assert experiment.gate.rules[0] == Rule("token_f1", margin=0.03)
    assert experiment.gate.baseline == "stable"


def test_the_shape_of_the_template_is_read_as_it_is() -> None:
    experiment = parse(YAML(typ="safe").load(TEMPLATE))
    assert [each.ref for each in experiment.datasets] == ["golden", "nightly_rows@4"]
    assert experiment.evaluators[0].datasets["golden"]["truth"] == "${data.category}"


def test_our_fields_have_defaults() -> None:
    experiment = parse(declared())
    assert (experiment.repeats, experiment.seed, experiment.gate) == (1, 0, None)


def test_a_margin_may_be_called_non_inferior_margin() -> None:
    experiment = parse(declared(gate={"rules": [{"metric": "token_f1", "non_inferior_margin": 0.05}]}))
    assert experiment.gate is not None
    assert experiment.gate.rules == (Rule("token_f1", margin=0.05),)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ["experiment", "a mapping"]),
        (declared(evaluator=[]), ["evaluator: is 'evaluator'", "did you mean 'evaluators'"]),
        (declared(name=None), ["name", "text; it is missing"]),
        (declared(datasets=[]), ["datasets", "at least one dataset"]),
        (declared(datasets=[{"name": "a"}, {"name": "a"}]), ["datasets[1]", "not there twice"]),
        (declared(datasets=["golden"]), ["datasets[0]", "'golden'", "a mapping"]),
        (declared(datasets=[{"name": "a", "mapping": {}}]), ["datasets[0].mapping", "did you mean 'mappings'"]),
        (declared(repeats=0), ["repeats", "a whole number from 1 to 100"]),
        (declared(repeats=True), ["repeats", "a whole number"]),
        (declared(seed=-1), ["seed", "a whole number from 0"]),
        (declared(gate={}), ["gate.rules", "at least one rule"]),
        (
            declared(gate={"rules": [{"metric": "x", "at_lest": 1}]}),
            ["gate.rules[0].at_lest", "did you mean 'at_least'"],
        ),
        (declared(gate={"rules": [{"metric": "x", "at_least": "high"}]}), ["gate.rules[0].at_least", "a number"]),
        (declared(gate={"rules": [{"metric": "x"}]}), ["gate.rules[0]", "exactly one of"]),
        (declared(gate={"rules": [{"metric": "x", "margin": -1}]}), ["gate.rules[0]", "finite number of 0 or more"]),
        (declared(gate={"alpha": 0.7, "rules": [{"metric": "x", "margin": 0}]}), ["gate.alpha", "below 0.5"]),
        (
            declared(evaluators=[{"name": "token_f1", "datasets": [{"name": "goldne"}]}]),
            ["evaluators[0].datasets[0].name", "did you mean 'golden'"],
        ),
    ],
)
def test_a_wrong_experiment_gives_a_sentence_with_the_key_path(values: object, expected: list[str]) -> None:
    said = sentence(values)
    assert all(part in said for part in expected), said
