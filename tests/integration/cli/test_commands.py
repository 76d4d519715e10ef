"""Commands against the slices' routes: what they print for people, and the one document of `--json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from opsloop.cli.exits import code_of
from opsloop.cli.main import opsloop
from opsloop.client import local
from opsloop.client.in_process import InProcess
from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from tests.integration.client.routes import Routes

Run = Callable[..., Result]
Ask = Callable[..., Any]
ECHO = "from promptflow.core import tool\n\n\n@tool\ndef echo(question: str) -> str:\n    return question\n"
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


@pytest.fixture
def run(sqlite_workspace: Workspace, admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder, its platform in this process."""
    monkeypatch.delenv("OPSLOOP_URL", raising=False)
    monkeypatch.setattr(local, "in_process", lambda project: InProcess(Routes(sqlite_workspace, admin)))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return lambda *arguments: CliRunner().invoke(opsloop, list(arguments), standalone_mode=False)


@pytest.fixture
def ask(run: Run) -> Ask:
    """The JSON document of a command that went well."""

    def asked(*arguments: str) -> Any:
        done = run(*arguments, "--json")
        assert done.exception is None, done.exception
        assert done.stderr == ""
        return json.loads(done.stdout)

    return asked


def code(done: Result) -> int:
    return code_of(done.exception) if done.exception is not None else done.exit_code


def flow(change: str = "") -> None:
    Path("echo").mkdir(exist_ok=True)
    Path("echo/flow.dag.yaml").write_text(FLOW)
    Path("echo/echo.py").write_text(ECHO + change)


def test_data_goes_in_is_shown_compared_and_comes_out(run: Run, ask: Ask) -> None:
    Path("q.jsonl").write_text('{"id": 1, "q": "a"}\n{"id": 2, "q": "b"}\n')
    assert run("data", "register", "golden", "q.jsonl", "--tag", "t").stdout == "golden@1: 2 rows, 2 columns\n"
    Path("q.jsonl").write_text('{"id": 1, "q": "A"}\n{"id": 3, "q": "c"}\n')
    assert ask("data", "register", "golden", "q.jsonl")["version"] == 2

    assert [each["version"] for each in ask("data", "list", "golden")["items"]] == [2, 1]
    assert run("data", "list").stdout.splitlines()[1].startswith("golden@2     2  -     q.jsonl")
    shown = run("data", "show", "golden@t", "--rows", "1").stdout
    assert "version  golden@1" in shown
    assert shown.endswith('{"id": 1, "q": "a"}\n')
    assert run("data", "diff", "golden", "1", "2", "--key", "id").stdout.splitlines() == [
        "golden@1 -> golden@2: 1 added, 1 removed, 1 changed, 0 the same",
        '+ {"id": 3, "q": "c"}',
        '- {"id": 2, "q": "b"}',
        '~ 1: q: "a" -> "A"',
    ]
    assert ask("data", "export", "golden@1", "out.jsonl")["rows"] == 2
    assert Path("out.jsonl").read_text() == '{"id":1,"q":"a"}\n{"id":2,"q":"b"}\n'


def test_a_collection_is_measured_and_tuned(run: Run, ask: Ask) -> None:
    rows = []
    for number in range(40):
        Path(f"d{number}.md").write_text(f"The colour of room{number} is shade{number}.")
        row = {"question": f"What is the colour of room{number}?", "relevant": [f"d{number}.md"], "answerable": True}
        rows.append({**row, "answers": [f"shade{number}"]})
    Path("golden.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run("rag", "upload", "rooms", *(f"d{number}.md" for number in range(40)))

    measured = run("rag", "evaluate", "rooms", "golden.jsonl", "--by", "filename").stdout
    assert "ndcg_at_10" in measured
    assert "citation_exactness" in measured
    tuned = run("rag", "tune", "rooms", "golden.jsonl", "--by", "filename").stdout
    assert "nothing is set; --apply sets it" in tuned
    assert "the threshold stays" in tuned
    assert ask("rag", "tune", "rooms", "golden.jsonl", "--by", "filename", "--apply")["tuned"]["applied"]
    tunings = run("rag", "tunings", "rooms").stdout
    assert [line.split()[-3:] for line in tunings.splitlines()[1:]] == [
        ["done", "27/27", "yes"],
        ["done", "27/27", "no"],
    ]
    newest = ask("rag", "tunings", "rooms")["items"][0]["id"]
    assert "set" in run("rag", "tunings", "rooms", newest).stdout.split()
    assert code(run("rag", "evaluate", "rooms", "nothing@1")) == 3


def test_data_that_is_broken_or_not_there_says_so(run: Run) -> None:
    Path("q.jsonl").write_text('{"id": 1}\n{"id": \n')

    broken = run("data", "register", "golden", "q.jsonl")
    assert (code(broken), broken.stdout) == (2, "")
    assert "line 2" in str(broken.exception)
    assert code(run("data", "show", "golden")) == 3
    assert run("data", "list").stdout == "no datasets yet; `opsloop data register NAME FILE` makes one\n"


def test_documents_go_in_answer_and_go(run: Run, ask: Ask) -> None:
    Path("care.md").write_text("Dental care is covered up to 500 euros a year.")
    Path("p.jsonl").write_text('{"_id": "a.pdf#page=1", "text": "Parking is free for everybody."}\n')

    assert run("rag", "upload", "handbook", "care.md", "p.jsonl").stdout == (
        "2 documents are new in handbook, 0 were there\n"
    )
    document = ask("rag", "list", "handbook")["items"][0]["id"]
    assert "handbook" in run("rag", "list").stdout
    assert "documents        2" in run("rag", "stats", "handbook").stdout
    assert "Parking is free" in run("rag", "search", "handbook", "parking").stdout
    answer = ask("rag", "query", "handbook", "How much dental care is covered a year?")
    assert answer["abstained"] or answer["citations"]
    later = ask(
        "rag", "query", "handbook", "And how much a year?", "--after", "What dental care is covered?", "--quote"
    )
    assert later["question"].startswith("And how much a year? (")
    asked = run("rag", "query", "handbook", "How much dental care is covered a year?", "--generate").stdout
    assert "no model is set to write answers" in asked
    assert run("rag", "delete", "handbook", document).stdout == (
        f"handbook/{document} is deleted: 1 documents, 1 chunks, 1 vectors\n"
    )
    assert code(run("rag", "delete", "handbook")) == 2
    assert "handbook: key:ci may read it; admins alone may change it" in (
        run("rag", "access", "handbook", "--reader", "key:ci").stdout
    )
    assert "open to everybody" in run("rag", "access", "handbook", "--open").stdout
    assert code(run("rag", "access", "handbook")) == 2
    assert run("rag", "retain", "handbook", "30").stdout == "handbook keeps documents for 30 days\n"
    assert code(run("rag", "retain", "handbook")) == 2
    assert run("rag", "ingests", "handbook").stdout == "no ingest came to handbook yet\n"
    deleted = ask("rag", "delete", "handbook", "--all")
    assert (deleted["deleted"], deleted["removed"]["documents"]) == ("handbook", 1)
    assert code(run("rag", "query", "handbook", "x")) == 3


def test_a_flow_is_released_steered_and_taken_back(run: Run, ask: Ask) -> None:
    flow()
    assert ask("flow", "register", "echo")["version"] == 1
    assert run("flow", "list").stdout.splitlines()[1].startswith("echo@1")
    Path("opsloop.yaml").write_text("endpoints:\n  chat: {flow: echo}\n")
    assert ask("apply")["outcomes"][0]["released"]["release"]["number"] == 1
    flow("# changed\n")
    run("flow", "register", "echo")
    canary = '{"canary": {"steps": [{"share": 0.1, "min_duration_s": 60, "min_subjects": 10}]}}'
    done = run("release", "create", "chat", "--flow", "echo@2", "--strategy", canary)

    assert done.stdout.startswith("release 2 of chat: release 2 is ")
    assert run("release", "list", "chat").stdout.splitlines()[0].split()[:2] == ["NO", "SERVES"]
    assert run("release", "list").stdout.splitlines()[1].split()[:4] == ["chat", "1", "(echo@1)", "2"]
    assert ask("release", "pause", "chat")["status"] == "paused"
    assert ask("release", "resume", "chat")["status"] in ("waiting", "running")
    assert code(run("release", "watch", "chat", "--timeout", "0")) == 8
    assert run("release", "rollback", "chat").stdout == "chat serves release 1 (echo@1)\n"
    watched = run("release", "watch", "chat")
    assert code(watched) == 6
    assert "release 2 of chat was taken back" in str(watched.exception)
    assert "rolled back" in run("release", "history", "chat").stdout
    assert run("release", "history", "chat", "--all").stdout.splitlines()[1].split()[2:4] == ["2", "rolled_back"]
    compared = run("release", "diff", "chat", "1", "2").stdout
    assert compared.startswith("release 1 (echo@1) -> 2 (echo@2)\n")
    assert "+# changed" in compared
    assert code(run("release", "diff", "chat", "1", "9")) == 3
    assert code(run("release", "report", "chat")) == 5
    assert code(run("release", "create", "chat", "--flow", "echo@2", "--config", "[1]")) == 2
    assert code(run("release", "promote", "nothing")) == 3


def test_a_freeze_holds_releases_and_an_approval_that_nobody_asks_for_is_a_conflict(run: Run, ask: Ask) -> None:
    assert run("release", "freezes").stdout == "nothing is frozen\n"
    frozen = ask("release", "freeze", "--reason", "audit", "--until", "2099-01-01T00:00Z")
    assert (frozen["endpoint"], frozen["reason"]) == (None, "audit")
    assert code(run("release", "freeze", "--reason", "again")) == 5
    assert code(run("release", "freeze", "--reason", "later", "--until", "tomorrow")) == 2
    assert run("release", "thaw").stdout == "every endpoint can be released to again\n"
    assert run("release", "approvals").stdout == "nothing waits for an approval\n"
    assert code(run("release", "approve", "nothing")) == 3


def test_apply_shows_its_plan_makes_it_and_is_done(run: Run, ask: Ask) -> None:
    flow()
    Path("opsloop.yaml").write_text("endpoints:\n  chat: {flow: echo}\n")

    dry = run("apply", "--dry-run")
    assert dry.stdout == "+ endpoint chat: serves flow echo\n1 of 1 to change\n"
    done = run("apply")
    assert done.stdout == "✓ endpoint chat: Release 1 (echo@1) is promoted\n"
    assert done.stderr == dry.stdout
    assert run("apply").stdout.endswith("nothing to do\n")
    assert ask("apply", "--dry-run")["steps"][0]["action"] == "keep"


def test_limits_of_the_project_are_applied(run: Run, ask: Ask) -> None:
    Path("opsloop.yaml").write_text("limits:\n  keys:\n    ci: {usd_per_day: 5}\n")
    assert run("apply").stdout == "✓ limit key/ci: $5.00 a day\n"
    assert run("apply").stdout.endswith("nothing to do\n")
    run("token", "limit", "ci", "--concurrent", "3")
    assert ask("apply", "--dry-run")["steps"][0]["action"] == "change"
    run("apply")
    assert run("token", "limits").stdout.splitlines()[1].split() == ["key", "ci", "$5.00", "a", "day"]


def test_apply_without_a_project_says_how_to_make_one(run: Run) -> None:
    done = run("apply")

    assert code(done) == 3
    assert "opsloop init DIR" in str(done.exception)


def test_keys_are_shown_once(run: Run, ask: Ask) -> None:
    made = run("token", "create", "ci", "--role", "developer", "--days", "3")
    assert made.stdout.startswith("opl_")
    assert made.stdout.count("\n") == 1
    assert made.stdout.strip() not in json.dumps(ask("token", "list"))
    assert run("token", "list").stdout.splitlines()[1].split()[:2] == ["ci", "developer"]
    assert run("token", "revoke", "ci").exception is None
    assert code(run("token", "revoke", "ci")) == 3
    assert code(run("token", "create", "x", "--role", "owner")) == 2


def test_limits_are_set_added_to_listed_and_removed(run: Run, ask: Ask) -> None:
    assert "no limits yet" in run("token", "limits").stdout
    said = run("token", "limit", "ci", "--requests-per-minute", "60", "--budget", "5/day").stdout
    assert said == "key ci may use 60 requests a minute, $5.00 a day\n"
    more = ask("token", "limit", "ci", "--budget", "100/month")
    assert (more["limit"]["usd_per_day"], more["limit"]["usd_per_month"]) == (5.0, 100.0)
    run("token", "limit", "--endpoint", "chat", "--concurrent", "4")
    run("token", "limit", "--default", "--tokens-per-minute", "1000")
    assert [(each["scope"], each["name"]) for each in ask("token", "limits")["items"]] == [
        ("default", ""),
        ("key", "ci"),
        ("endpoint", "chat"),
    ]
    assert run("token", "limit", "ci", "--none").stdout == "key ci is not limited\n"
    assert code(run("token", "limit", "ci", "--none")) == 3
    assert code(run("token", "limit", "ci")) == 2
    assert code(run("token", "limit", "ci", "--budget", "5/week")) == 2
    assert code(run("token", "limit", "--concurrent", "4")) == 2
    assert next(each["action"] for each in ask("audit", "list", "--action", "limit.")["items"]) == "limit.removed"


def test_the_trail_is_verified_here_and_far_away(run: Run, ask: Ask) -> None:
    run("token", "create", "a")
    run("token", "create", "b")
    assert [each["target"] for each in ask("audit", "list", "--action", "key.")["items"]] == ["key/b", "key/a"]
    assert ask("audit", "verify")["ok"] is True
    assert run("audit", "export", "trail.jsonl", "--key", "audit.pem").stdout.endswith("written to trail.jsonl\n")
    assert run("audit", "export", "-").stdout == Path("trail.jsonl").read_text()
    far = ("audit", "verify", "trail.jsonl", "--key", "audit.pem")
    assert run(*far).stdout == "the record holds (events: 2, signatures: 2)\n"

    Path("trail.jsonl").write_text(Path("trail.jsonl").read_text().replace("key/b", "key/c"))
    changed = run(*far)
    assert code(changed) == 6
    assert "does not hold from event 2 (audit_" in str(changed.exception)
    Path("trail.jsonl").write_text("not an export\n")
    assert code(run(*far)) == 2
    assert code(run("audit", "verify", "trail.jsonl", "--key", "trail.jsonl")) == 2


def test_feedback_is_given_listed_and_summed_up(run: Run, ask: Ask) -> None:
    assert ask("feedback", "add", "req_1", "--thumb", "down", "--comment", "wrong\x1b[2Jplan")["score"] == 0.0
    assert code(run("feedback", "add", "req_1")) == 2
    assert "\x1b" not in run("feedback", "list").stdout
    assert "thumbs down      1" in run("feedback", "summary").stdout
    assert run("monitor", "traffic", "chat").stdout == "nobody called chat in the last 300 s\n"
    assert run("monitor", "requests").stdout == "no requests yet\n"


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
"""


@pytest.fixture
def experiment(run: Run) -> str:
    """An experiment in the folder; 2 of its 40 rows do not match."""
    flow()
    Path("experiment.yaml").write_text(EXPERIMENT)
    rows = [{"question": f"q{n}", "ground_truth": f"q{n}" if n > 1 else "other"} for n in range(40)]
    Path("judged.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "experiment.yaml"


def test_an_experiment_is_run_shown_and_reported(run: Run, ask: Ask, experiment: str) -> None:
    done = ask("eval", "run", experiment)
    assert (done["rows"], done["metrics"]["exact_match"]["value"]) == (40, 0.95)
    assert "flow        echo@1" in run("eval", "run", experiment).stdout
    assert len(ask("eval", "list", "--flow", "echo@1")["items"]) == 2

    shown = run("eval", "show", done["id"], "--worst", "exact_match").stdout
    assert "gate        not checked" in shown
    assert [each["row"] for each in ask("eval", "show", done["id"], "--worst", "exact_match")["worst"]][:2] == [0, 1]
    assert code(run("eval", "show", done["id"], "--worst", "exact")) == 2
    assert code(run("eval", "show", "run_x")) == 3
    assert code(run("eval", "run", "nothing")) == 3
    assert done["id"] in run("eval", "report", done["id"]).stdout
    assert run("eval", "report", done["id"], "--format", "json", "--output", "r.json").stdout == "written to r.json\n"
    assert json.loads(Path("r.json").read_text())


def test_the_gate_answers_with_its_exit_code(run: Run, ask: Ask, experiment: str) -> None:
    good = ask("eval", "run", experiment)["id"]
    passed = run("gate", "check", good)
    assert (code(passed), passed.stdout.splitlines()[2][0]) == (0, "✓")

    Path("echo/echo.py").write_text(ECHO.replace("return question", "return 'wrong'"))
    bad = ask("eval", "run", experiment)["id"]
    failed = run("gate", "check", bad, "--json")
    assert code(failed) == 6
    assert json.loads(failed.stdout)["verdict"] == "fail"
    assert json.loads(failed.stdout)["sentence"] == str(failed.exception)

    rows = Path("judged.jsonl").read_text().splitlines(keepends=True)
    Path("judged.jsonl").write_text("".join(rows[-3:]))
    flow("# three rows show too little\n")
    few = ask("eval", "run", experiment)["id"]
    assert code(run("gate", "check", few)) == 6
    assert code(run("gate", "check", few, "--allow-inconclusive")) == 0


def test_an_experiment_of_the_project_goes_by_its_name(run: Run, ask: Ask, experiment: str) -> None:
    Path("opsloop.yaml").write_text("experiments: {answers: {file: experiment.yaml}}\n")

    assert ask("eval", "run", "answers", "--flow", "echo")["flow"] == "echo@1"


def test_apply_stops_a_flow_at_its_gate_with_exit_code_6(run: Run, ask: Ask, experiment: str) -> None:
    Path("opsloop.yaml").write_text(
        "experiments: {answers: {file: experiment.yaml}}\nendpoints: {chat: {flow: echo, experiment: answers}}\n"
    )
    assert code(run("apply")) == 0
    Path("echo/echo.py").write_text(ECHO.replace("return question", "return 'wrong'"))
    blocked = run("apply", "--json")

    assert code(blocked) == 6
    assert json.loads(blocked.stdout)["outcomes"][0]["gate"]["verdict"] == "fail"
    assert "echo@2 is not released. Gate failed" in str(blocked.exception)
    run_id = json.loads(blocked.stdout)["outcomes"][0]["run"]["id"]
    refused = run("release", "create", "chat", "--flow", "echo@2", "--evaluation", run_id)
    assert code(refused) == 6


def test_expectations_are_declared_checked_and_written(run: Run, ask: Ask) -> None:
    Path("q.jsonl").write_text('{"id": 1, "score": 0.5}\n{"id": 1, "score": 2}\n')
    Path("e.yaml").write_text("- {expect: unique, column: id}\n- {expect: between, column: score, max: 1}\n")
    assert len(ask("data", "expect", "golden", "e.yaml")["expectations"]) == 2
    refused = run("data", "register", "golden", "q.jsonl")
    assert code(refused) == 6
    assert "2 of 2 expectations are not met" in str(refused.exception)
    run("data", "expect", "golden", "--on-broken", "warn")
    warned = run("data", "register", "golden", "q.jsonl")
    assert "unique id is broken by 2 of 2 rows (row 1: 1; row 2: 1)" in warned.stderr
    assert code(run("data", "validate", "golden")) == 6

    Path("e.yaml").write_text("- {expect: row_count, min: 1}\n")
    assert ask("data", "validate", "golden@1", "--suite", "e.yaml")["met"] is True
    run("data", "expect", "golden", "--write", "suite.json")
    Path("e.yaml").write_text("[]")
    assert ask("data", "expect", "golden", "e.yaml")["expectations"] == []
    assert [each["expect"] for each in ask("data", "expect", "golden", "suite.json")["expectations"]] == [
        "unique",
        "between",
    ]


def test_a_suite_that_cannot_be_read_names_file_and_place(run: Run) -> None:
    Path("e.yaml").write_text("- {expect: unique, colum: id}\n")
    wrong = run("data", "expect", "golden", "e.yaml")
    assert code(wrong) == 2
    assert "e.yaml: expectations[0].colum" in str(wrong.exception)
    Path("e.json").write_text("{")
    assert code(run("data", "expect", "golden", "e.json")) == 2


def test_held_out_rows_are_named_and_not_shown(run: Run, ask: Ask) -> None:
    Path("q.jsonl").write_text("".join(f'{{"id": {number}, "q": "a{number}"}}\n' for number in range(20)))
    run("data", "register", "golden", "q.jsonl")
    frozen = ask("data", "freeze", "golden", "--holdout", "0.5")
    held = ask("data", "show", "golden@1/holdout", "--rows", "20")["rows"]
    shown = ask("data", "show", "golden", "--rows", "20")["rows"]
    assert (len(held), len(shown)) == (frozen["parts"]["holdout"], frozen["parts"]["dev"])
    Path("q.jsonl").write_text('{"id": 1, "q": "other"}\n')
    assert code(run("data", "register", "golden", "q.jsonl")) == 5
    assert code(run("data", "register", "golden", "q.jsonl", "--replace-holdout", "started anew")) == 0
    assert code(run("data", "show", "golden/nothing")) == 2
    assert code(run("data", "freeze", "golden/dev", "--holdout", "0.5")) == 2
    assert code(run("data", "contamination", "golden/holdout", "--against", "golden/dev")) == 0


def test_golden_rows_in_prompts_and_training_data_are_found(run: Run, ask: Ask) -> None:
    Path("q.jsonl").write_text('{"q": "where do I park my car at night"}\n')
    run("data", "register", "golden", "q.jsonl")
    run("data", "register", "training", "q.jsonl")
    flow("# Where do I park my car at night?\n")
    found = run("data", "contamination", "golden", "--flow", "echo", "--against", "training")
    assert code(found) == 6
    assert found.stdout.splitlines()[:2] == [
        "row 1, q: word for word in training@1, row 1",
        "row 1, q: word for word in echo/echo.py, line 7",
    ]
    flow()
    assert ask("data", "contamination", "golden", "--flow", "echo")["rows"] == 0
    assert code(run("data", "contamination", "golden")) == 2


SURVEYED = """\
project: desk
surveys:
  after-chat:
    title: How did we do?
    questions: [{id: csat, kind: csat, ask: How satisfied are you?}]
"""


def test_tickets_surveys_and_rated_answers_have_commands(run: Run, ask: Ask) -> None:
    Path("tickets.csv").write_text("id,subject\n17,wrong\x1b[2J days\n")
    assert ask("ticket", "import", "tickets.csv", "--system", "desk") == {
        "system": "desk", "created": 1, "updated": 0, "unchanged": 0
    }  # fmt: skip
    assert "\x1b" not in run("ticket", "list").stdout
    assert code(run("ticket", "import", "tickets.csv", "--system", "Desk!")) == 2
    assert code(run("ticket", "import", "tickets.csv", "--system", "desk", "--map", "id")) == 2
    assert code(run("ticket", "delete", "desk", "18")) == 3
    assert run("ticket", "delete", "desk", "17").stdout == "desk/17 is deleted\n"
    assert "no survey yet" in run("survey", "list").stdout
    assert code(run("survey", "show", "after-chat")) == 3
    Path("opsloop.yaml").write_text(SURVEYED)
    assert code(run("apply")) == 0
    assert "after-chat" in run("survey", "list").stdout
    assert ask("survey", "invite", "after-chat", "--request", "req_1")["path"].startswith("/survey/")
    assert "nobody answered yet" in run("survey", "responses", "after-chat").stdout
    assert ask("survey", "show", "after-chat")["response"]["of"] == 1


def test_a_golden_row_is_made_shown_before_and_taken_back(run: Run, ask: Ask) -> None:
    run("feedback", "add", "req_1", "--thumb", "down", "--correction", "28 days")
    assert "req_1" in run("feedback", "answers", "--bad").stdout
    promote = ("feedback", "promote", "req_1", "--dataset", "golden", "--question")
    assert ask(*promote, "How many?", "--dry-run")["row"]["answer"] == "28 days"
    assert ask(*promote, "How many?")["version"] == "golden@1"
    assert code(run(*promote, "how many")) == 5
    assert code(run("feedback", "promote", "req_2", "--dataset", "golden")) == 3
    assert ask(*promote, "How many more?")["version"] == "golden@2"
    assert run("feedback", "take-back", "golden").stdout == "golden is golden@1 again\n"
    assert code(run("feedback", "take-back", "golden")) == 3
    assert code(run("feedback", "summary", "--week", "2026-W99")) == 2
    assert code(run("feedback", "export", "chat", "--out", "rows.jsonl")) == 3
    assert not Path("rows.jsonl").exists()
