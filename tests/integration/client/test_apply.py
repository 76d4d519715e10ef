from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.client import apply, plan, project
from opsloop.client.experiment_files import ExperimentFileInvalid
from opsloop.client.http import Client
from opsloop.client.plan import Action, Plan
from opsloop.core.errors import Conflict, InvalidInput

PROJECT = """\
project: small
collections:
  handbook: {source: handbook.jsonl}
  notes: {source: notes}
datasets:
  questions: {source: questions.jsonl, tags: [golden]}
endpoints:
  chat: {flow: echo, config: {tone: calm}}
"""
FLOW = """\
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${echo.output}", is_chat_output: true}
nodes:
- name: echo
  type: python
  source: {type: code, path: echo.py}
  inputs: {question: "${inputs.question}"}
"""
PASSAGES = """\
{"_id": "a.pdf#page=1", "text": "Parking is free."}
{"_id": "b.pdf#page=1", "text": "Lunch is at noon."}
"""
ECHO = "from promptflow.core import tool\n\n\n@tool\ndef echo(question: str) -> str:\n    return question\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in {
        "opsloop.yaml": PROJECT,
        "handbook.jsonl": PASSAGES,
        "notes/leave.md": "Leave is thirty days a year.",
        "notes/ignored.bin": "x",
        "questions.jsonl": '{"id": 1, "question": "Is parking free?", "n": [1, {"a": null}]}\n{"id": 2}\n',
        "echo/flow.dag.yaml": FLOW,
        "echo/echo.py": ECHO,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def planned(client: Client, folder: Path) -> Plan:
    return plan.make(client, project.load(folder))


def applied(client: Client, folder: Path) -> list[str]:
    wanted = project.load(folder)
    return [str(outcome) for outcome in apply.perform(client, wanted, plan.make(client, wanted))]


def changes(found: Plan) -> dict[str, str]:
    return {f"{step.noun} {step.name}": step.says for step in found.changes}


def test_everything_is_made_once_and_then_there_is_nothing_to_do(client: Client, folder: Path) -> None:
    first = planned(client, folder)
    outcomes = applied(client, folder)
    second = planned(client, folder)

    assert [step.action for step in first.steps] == [Action.CREATE] * 4
    assert outcomes == [
        "✓ collection handbook: 2 documents new, 0 superseded and deleted",
        "✓ collection notes: 1 document new, 0 superseded and deleted",
        "✓ dataset questions: questions@1 has 2 rows",
        "✓ endpoint chat: Release 1 (echo@1) is promoted",
    ]
    assert second.changes == ()
    assert str(second).endswith("nothing to do")
    assert client.datasets.get("questions").tags == ("golden",)
    assert applied(client, folder) == []


def test_looking_changes_nothing(client: Client, folder: Path) -> None:
    planned(client, folder)

    assert client.datasets.listed() == []
    assert client.documents.collections() == []
    assert client.endpoints.listed() == []


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("notes/leave.md", "Leave is forty days.", {"collection notes": "1 document new, 1 superseded"}),
        ("notes/more.md", "Overtime is paid.", {"collection notes": "1 document new, 0 superseded"}),
        (
            "questions.jsonl",
            '{"id": 1}\n{"id": 3}\n',
            {"dataset questions": "questions.jsonl differs from questions@1"},
        ),
        ("questions.jsonl", '{"id": 1}\n', {"dataset questions": "questions.jsonl differs from questions@1"}),
        ("echo/echo.py", ECHO + "# changed\n", {"endpoint chat": "flow echo differs from echo@1"}),
        ("opsloop.yaml", PROJECT.replace("calm", "firm"), {"endpoint chat": "its config differs from release 1"}),
        ("opsloop.yaml", PROJECT.replace("[golden]", "[new]"), {"dataset questions": "questions@1 gets the tags new"}),
        ("opsloop.yaml", "project: small\n", {}),
    ],
)
def test_a_change_is_found_applied_and_then_gone(
    client: Client, folder: Path, file: str, content: str, expected: dict[str, str]
) -> None:
    applied(client, folder)
    (folder / file).write_text(content)

    assert changes(planned(client, folder)) == expected
    assert len(applied(client, folder)) == len(expected)
    assert changes(planned(client, folder)) == {}


def test_documents_that_others_added_are_left_alone(client: Client, folder: Path) -> None:
    client.documents.upload("notes", "theirs.md", b"Somebody else wrote this.")
    applied(client, folder)

    assert {each.filename for each in client.documents.listed("notes")} == {"theirs.md", "leave.md"}


def test_a_release_that_was_taken_back_is_not_released_again(client: Client, folder: Path) -> None:
    applied(client, folder)
    (folder / "opsloop.yaml").write_text(
        PROJECT.replace(
            "config:", "strategy: {canary: {steps: [{share: 0.1, min_duration_s: 60, min_subjects: 9}]}}, config:"
        )
    )
    (folder / "echo" / "echo.py").write_text(ECHO + "# worse\n")
    applied(client, folder)
    assert "release 2 (echo@2) is on its way" in str(planned(client, folder))
    client.endpoints.roll_back("chat")

    found = planned(client, folder)
    assert changes(found) == {}
    assert "release 2 (echo@2) was taken back" in str(found)


EXPERIMENT = """\
name: answers
flow: echo
datasets:
- {name: judged, source: judged.jsonl}
evaluators:
- {name: exact_match}
gate:
  rules:
  - {metric: exact_match, at_least: 0.8}
  - {metric: exact_match, margin: 0.1}
"""


def test_what_was_left_for_a_cause_stays_pinned_also_after_others_were_released(client: Client, folder: Path) -> None:
    text = PROJECT.replace("config:", "strategy: blue-green, config:")
    (folder / "opsloop.yaml").write_text(text)
    for code in ("", "# leaks\n", "# better\n"):
        (folder / "echo" / "echo.py").write_text(ECHO + code)
        applied(client, folder)
        if "leaks" in code:
            client.endpoints.roll_back("chat")
    (folder / "echo" / "echo.py").write_text(ECHO + "# leaks\n")

    found = planned(client, folder)
    assert changes(found) == {}
    assert "pinned: release 2 (echo@2) was left, asked by" in str(found)
    assert [each.number for each in client.endpoints.releases("chat")] == [3, 2, 1]


@pytest.fixture
def judged(folder: Path) -> Path:
    """The project with an endpoint whose flow has to echo fifty questions exactly."""
    rows = "".join(f'{{"question": "q{n}", "ground_truth": "q{n}"}}\n' for n in range(50))
    (folder / "judged.jsonl").write_text(rows)
    (folder / "experiment.yaml").write_text(EXPERIMENT)
    (folder / "opsloop.yaml").write_text(
        "experiments: {answers: {file: experiment.yaml}}\nendpoints: {chat: {flow: echo, experiment: answers}}\n"
    )
    return folder


def test_a_flow_that_passes_its_gate_is_released_with_its_evaluation(client: Client, judged: Path) -> None:
    wanted = project.load(judged)
    told: list[str] = []
    found = list(
        apply.perform(client, wanted, plan.make(client, wanted), tell=lambda what, done, total: told.append(what))
    )

    (outcome,) = found
    assert outcome.run is not None
    assert outcome.gate is not None
    assert outcome.released is not None
    assert outcome.released.release.evaluation == outcome.run.id
    assert outcome.run.metrics["exact_match"].value == 1.0
    assert "evaluating chat" in told
    assert planned(client, judged).changes == ()


def test_a_flow_that_its_gate_refuses_is_not_released_and_the_rest_is_done(client: Client, judged: Path) -> None:
    applied(client, judged)
    (judged / "echo" / "echo.py").write_text(ECHO.replace("return question", "return 'wrong'"))
    (judged / "opsloop.yaml").write_text(
        (judged / "opsloop.yaml").read_text() + "datasets: {questions: {source: questions.jsonl}}\n"
    )
    wanted = project.load(judged)

    dataset, endpoint = apply.perform(client, wanted, plan.make(client, wanted))
    assert dataset.says == "questions@1 has 2 rows"
    assert endpoint.is_blocked
    assert endpoint.gate is not None
    assert endpoint.gate.baseline is not None
    assert str(endpoint).startswith("✕ endpoint chat: echo@2 is not released. Gate failed")
    assert [each.number for each in client.endpoints.releases("chat")] == [1]


def test_the_stable_flow_is_evaluated_again_when_the_questions_changed(client: Client, judged: Path) -> None:
    applied(client, judged)
    rows = "".join(f'{{"question": "new{n}", "ground_truth": "new{n}"}}\n' for n in range(40))
    (judged / "judged.jsonl").write_text(rows)
    (judged / "echo" / "echo.py").write_text(ECHO + "# changed\n")
    wanted = project.load(judged)

    (outcome,) = apply.perform(client, wanted, plan.make(client, wanted))
    assert outcome.released is not None
    assert outcome.gate is not None
    assert outcome.gate.baseline is not None
    assert client.evaluations.get(outcome.gate.baseline).flow == "echo@1"
    assert [run.flow for run in client.evaluations.listed()] == ["echo@1", "echo@2", "echo@1"]


def test_going_back_to_the_stable_flow_is_nothing_to_do(client: Client, folder: Path) -> None:
    applied(client, folder)
    (folder / "echo" / "echo.py").write_text(ECHO + "# tried by hand\n")
    client.endpoints.release("chat", flow=client.flows.register(folder / "echo").ref, config={"tone": "calm"})
    client.endpoints.roll_back("chat")
    (folder / "echo" / "echo.py").write_text(ECHO)

    assert planned(client, folder).changes == ()


def test_guardrails_are_there_before_the_first_release_and_follow_the_file(client: Client, folder: Path) -> None:
    file = folder / "opsloop.yaml"
    guardrails = "guardrails: {answers: {pii: redact, email: flag}, allow: ['*@acme.example']}"
    file.write_text(PROJECT.replace("config: {tone: calm}", "config: {tone: calm}, " + guardrails))
    assert changes(planned(client, folder))["guardrails chat"] == "as declared, before anything is released"
    assert [line for line in applied(client, folder) if "chat" in line] == [
        "✓ guardrails chat: version 2",
        "✓ endpoint chat: Release 1 (echo@1) is promoted",
    ]
    assert changes(planned(client, folder)) == {}
    file.write_text(file.read_text().replace("email: flag", "email: block, iban: flag"))
    assert changes(planned(client, folder)) == {
        "guardrails chat": "answers.email flag → block; answers.iban allow → flag"
    }
    assert applied(client, folder) == ["✓ guardrails chat: version 3"]
    assert client.guardrails.get("chat").policy["allow"] == ["*@acme.example"]
    assert changes(planned(client, folder)) == {}


def test_guardrails_that_are_wrong_name_their_line(folder: Path) -> None:
    file = folder / "opsloop.yaml"
    file.write_text(PROJECT.replace("config: {tone: calm}", "guardrails: {answers: {emial: redact}}"))
    with pytest.raises(
        InvalidInput, match=r":8: endpoints\.chat: guardrails\.answers\.emial is not known; did you mean"
    ):
        project.load(folder)


def test_an_experiment_that_is_wrong_is_found_before_anything_is_sent(client: Client, folder: Path) -> None:
    (folder / "experiment.yaml").write_text("name: e\ndatasets: [{name: questions}]\nevaluatorz: []\n")
    (folder / "opsloop.yaml").write_text(PROJECT + "experiments:\n  e: {file: experiment.yaml}\n")

    with pytest.raises(ExperimentFileInvalid, match=r"experiment\.yaml: evaluatorz.*'evaluators'"):
        planned(client, folder)


CHECKED = """\
datasets:
  questions:
    source: questions.jsonl
    expectations: [{expect: unique, column: id}]
    on_broken: warn
    pii: refuse
    holdout: {share: 0.5, seed: 3}
"""


def test_what_must_hold_of_a_dataset_is_declared_before_it_is_registered(client: Client, folder: Path) -> None:
    (folder / "opsloop.yaml").write_text(CHECKED)
    assert applied(client, folder) == [
        "✓ dataset questions: questions@1 has 2 rows; 1 of 1 expectations are met",
    ]
    assert changes(planned(client, folder)) == {}
    assert client.datasets.get("questions").parts != {}
    (folder / "opsloop.yaml").write_text(CHECKED.replace("warn", "refuse").replace("0.5", "0.25"))
    assert changes(planned(client, folder)) == {"dataset questions": "questions@1 gets other rules and held out rows"}
    with pytest.raises(Conflict, match="--replace-holdout"):
        applied(client, folder)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("expectations: [{expect: uniqe, column: id}]", r"opsloop.yaml:4: .*did you mean 'unique'"),
        ("expectations: gone.yaml", "opsloop.yaml:4: datasets.questions.expectations"),
        ("on_broken: ignore", "wanted one of refuse, warn"),
        ("pii: maybe", "wanted one of report, refuse, allow"),
        ("holdout: {share: 2}", "holdout.share is 2; wanted a share"),
        ("holdout: {share: 0.2, seed: x}", "holdout.seed is 'x'"),
    ],
)
def test_a_wrong_rule_of_a_dataset_names_its_line(folder: Path, wrong: str, said: str) -> None:
    (folder / "opsloop.yaml").write_text(f"datasets:\n  questions:\n    source: questions.jsonl\n    {wrong}\n")
    with pytest.raises(InvalidInput, match=said):
        project.load(folder)


def test_objectives_of_an_endpoint_are_declared(client: Client, folder: Path) -> None:
    text = PROJECT.replace("{tone: calm}}", "{tone: calm}, objectives: {availability: 0.99}}")
    (folder / "opsloop.yaml").write_text(text)
    steps = {step.name: step for step in planned(client, folder).steps if step.noun == "objectives"}
    assert steps["chat"].action is Action.CREATE
    assert "declares availability" in str(steps["chat"])
    list(apply.perform(client, project.load(folder), planned(client, folder)))
    again = {step.name: step for step in planned(client, folder).steps if step.noun == "objectives"}
    assert again["chat"].action is Action.KEEP
    assert client.objectives.of("chat").declared == {"availability": 0.99}


def test_wrong_objectives_are_refused_with_their_place(folder: Path) -> None:
    text = PROJECT.replace("{tone: calm}}", "{tone: calm}, objectives: {uptime: 0.99}}")
    (folder / "opsloop.yaml").write_text(text)
    with pytest.raises(InvalidInput, match=r"opsloop.yaml:\d+: endpoints.chat.objectives: .*uptime"):
        project.load(folder)


def test_rules_and_channels_are_declared(client: Client, folder: Path) -> None:
    alerts = (
        "alerts: {rules: {slow: {metric: mean_ms, above: 9}, drift: false}, "
        "channels: {hook: {webhook: 'https://hooks.example.com/secret'}}}\n"
    )
    (folder / "opsloop.yaml").write_text(PROJECT + alerts)
    wanted = project.load(folder)
    steps = [step for step in planned(client, folder).steps if step.noun in ("rule", "channel")]
    assert [(step.name, step.action) for step in steps] == [
        ("slow", Action.CREATE), ("drift", Action.CHANGE), ("hook", Action.CREATE)
    ]  # fmt: skip
    assert "secret" not in " ".join(map(str, steps))
    list(apply.perform(client, wanted, planned(client, folder)))
    again = [step.action for step in planned(client, folder).steps if step.noun in ("rule", "channel")]
    assert again == [Action.KEEP] * 3


def test_a_wrong_rule_is_refused_with_its_place(folder: Path) -> None:
    (folder / "opsloop.yaml").write_text(PROJECT + "alerts: {rules: {slow: {metric: mood, above: 9}}}\n")
    with pytest.raises(InvalidInput, match=r"opsloop.yaml:\d+: alerts.rules.slow: .*mood"):
        project.load(folder)


SURVEY = """
surveys:
  after-chat:
    title: How did we do?
    questions: [{id: csat, kind: csat, ask: How satisfied are you?}]
"""


def test_surveys_and_kept_texts_are_declared_once(client: Client, folder: Path) -> None:
    file = folder / "opsloop.yaml"
    file.write_text(PROJECT.replace("config: {tone: calm}", "keep_texts: {days: 7}") + SURVEY)
    done = applied(client, folder)
    assert "✓ texts chat: keeps questions and answers of all requests for 7 days" in done
    assert "✓ survey after-chat: asks 1 question" in done
    assert client.endpoints.get("chat").endpoint.keep_texts == {"days": 7.0, "share": 1.0, "redact": True}
    assert applied(client, folder) == []
    file.write_text(file.read_text().replace("{days: 7}", "false").replace("satisfied are", "happy are"))
    assert list(changes(planned(client, folder))) == ["texts chat", "survey after-chat"]
    applied(client, folder)
    assert client.endpoints.get("chat").endpoint.keep_texts is None


def test_the_environment_of_an_endpoint_is_declared_once(client: Client, folder: Path) -> None:
    file = folder / "opsloop.yaml"
    file.write_text(PROJECT.replace("config: {tone: calm}", "environment: staging"))
    assert "✓ environment chat: is of staging" in applied(client, folder)
    assert client.endpoints.get("chat").endpoint.environment == "staging"
    assert applied(client, folder) == []
    file.write_text(file.read_text().replace("staging", "null"))
    assert "✓ environment chat: is of the platform's environment" in applied(client, folder)
    assert client.endpoints.get("chat").endpoint.environment is None
    assert applied(client, folder) == []


def test_scoring_of_live_answers_is_declared_once(client: Client, folder: Path) -> None:
    file = folder / "opsloop.yaml"
    scoring = "keep_texts: true, scoring: {share: 0.5, evaluators: {leaks: {evaluator: pii_leak, measure: privacy}}}"
    file.write_text(PROJECT.replace("config: {tone: calm}", scoring))
    assert "✓ scoring chat: scores live answers by leaks" in applied(client, folder)
    assert client.endpoints.scoring("chat").share == 0.5
    assert applied(client, folder) == []
    file.write_text(file.read_text().replace("share: 0.5", "share: 1"))
    assert list(changes(planned(client, folder))) == ["scoring chat"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (PROJECT.replace("config: {tone: calm}", "keep_texts: {hours: 7}"), "endpoints.chat: keep_texts.hours"),
        (PROJECT.replace("config: {tone: calm}", "environment: prod"), "endpoints.chat: environment: is 'prod'"),
        (PROJECT + SURVEY.replace("csat, ask", "stars, ask"), "surveys.after-chat: questions.0.kind"),
    ],
)
def test_what_is_wrong_with_them_names_its_place(folder: Path, wrong: str, said: str) -> None:
    (folder / "opsloop.yaml").write_text(wrong)
    with pytest.raises(InvalidInput, match=said):
        project.load(folder)
