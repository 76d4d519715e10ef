"""`opsloop eval run` on variants, overlays and targets: what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.cli.test_commands import Ask, Run, code
from tests.integration.cli.test_commands import ask as ask
from tests.integration.cli.test_commands import run as run

FLOW = """\
inputs: {question: {type: string}}
outputs: {answer: {type: string, reference: "${say.output}", is_chat_output: true}}
nodes:
- {name: say, use_variants: true}
node_variants:
  say:
    default_variant_id: right
    variants:
      right: {node: {type: python, source: {type: code, path: right.py}, inputs: {question: "${inputs.question}"}}}
      wrong: {node: {type: python, source: {type: code, path: wrong.py}, inputs: {question: "${inputs.question}"}}}
"""
SAY = "from promptflow.core import tool\n\n\n@tool\ndef say(question: str) -> str:\n    return {}\n"
EXPERIMENT = {
    "name": "answers",
    "flow": "say",
    "datasets": [{"name": "asked", "source": "asked.jsonl", "mappings": {"other": "${data.question}"}}],
    "evaluators": [{"name": "exact_match"}],
}


@pytest.fixture
def experiment(run: Run) -> str:
    Path("say").mkdir()
    Path("say/flow.dag.yaml").write_text(FLOW)
    Path("say/right.py").write_text(SAY.format("question"))
    Path("say/wrong.py").write_text(SAY.format("'no'"))
    rows = [{"question": f"q{number}", "truth": f"q{number}"} for number in range(60)]
    Path("asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("few.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:3]))
    Path("experiment.yaml").write_text(json.dumps(EXPERIMENT))
    return "experiment.yaml"


def test_variants_stand_beside_each_other_and_a_loser_says_why(run: Run, ask: Ask, experiment: str) -> None:
    lines = run("eval", "run", experiment, "--variants", "*").stdout.splitlines()
    assert lines[0].split() == ["VARIANT", "EVALUATION", "STATUS", "COMPLETED", "EXACT_MATCH"]
    assert [line.split()[0] for line in lines[1:3]] == ["defaults", "say.wrong"]
    assert [line.split()[-1] for line in lines[1:3]] == ["1", "0"]

    Path(experiment).write_text(json.dumps({**EXPERIMENT, "variants": {"metric": "exact_match"}}))
    study = ask("eval", "run", experiment)
    assert [each["cut"] is None for each in study["runs"]] == [True, False]
    assert len(ask("eval", "list")["items"]) == 4
    shown = run("eval", "show", study["runs"][1]["id"]).stdout
    assert "variant     say.wrong" in shown
    assert "cut short   it lost to the defaults: exact_match 0 against 1" in shown


def test_a_run_of_a_variant_opens_no_gate(run: Run, ask: Ask, experiment: str) -> None:
    gate = {"rules": [{"metric": "completed", "at_least": 0.5}]}
    Path(experiment).write_text(json.dumps({**EXPERIMENT, "gate": gate}))
    wrong = ask("eval", "run", experiment, "--variants", "say.wrong")
    assert wrong["variant"] == "say.wrong"
    assert code(run("gate", "check", wrong["id"])) == 0
    Path("opsloop.yaml").write_text("endpoints: {chat: {flow: say}}\n")
    assert code(run("apply")) == 0
    refused = run("release", "create", "chat", "--flow", wrong["flow"], "--evaluation", wrong["id"])
    assert "a release serves the defaults of its flow" in str(refused.exception)


def test_an_overlay_and_what_was_left_out_are_told(run: Run, experiment: str) -> None:
    Path("experiment.pr.yaml").write_text(json.dumps({"datasets": [{"name": "few", "source": "few.jsonl"}]}))
    quick = run("eval", "run", experiment, "--env", "pr")
    assert "rows        3, 0 failed" in quick.stdout
    assert quick.stderr == ""
    whole = run("eval", "run", experiment, "--env", "nightly")
    assert "rows        60, 0 failed" in whole.stdout
    assert "there is no experiment.nightly.yaml" in whole.stderr
    assert "datasets[0].mappings.other was left out" in whole.stderr


def test_a_target_can_be_named(run: Run, ask: Ask, experiment: str) -> None:
    Path("rules.py").write_text("def answer(question: str) -> str:\n    return question\n")
    Path(experiment).write_text(json.dumps({**EXPERIMENT, "datasets": [{"name": "few", "source": "few.jsonl"}]}))
    found = ask("eval", "run", experiment, "--target", "function:rules:answer")
    assert (found["flow"], found["metrics"]["exact_match"]["value"]) == ("function-answer@1", 1.0)
    assert code(run("eval", "run", experiment, "--target", "rules:answer")) == 2
