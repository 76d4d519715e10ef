"""`opsloop train` and `opsloop apply` on a project with a pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.in_process import Said, run

PROJECT = """
project: garden
datasets:
  flowers: {source: flowers.csv}
pipelines:
  flowers:
    dataset: flowers
    target: kind
    task: classification
    steps: [scale, logistic_regression]
    cross_validation: {folds: 2}
"""


@pytest.fixture
def garden(tmp_path: Path) -> Path:
    (tmp_path / "opsloop.yaml").write_text(PROJECT)
    lines = "".join(f"{number % 7 + 10 * (number % 2)},{'ab'[number % 2]}\n" for number in range(60))
    (tmp_path / "flowers.csv").write_text("size,kind\n" + lines)
    return tmp_path


def ask(garden: Path, *words: str) -> Said:
    return run(*words, "--project", str(garden))


def test_apply_trains_a_pipeline_and_has_nothing_to_do_then(garden: Path) -> None:
    planned = ask(garden, "apply", "--dry-run")
    assert "+ pipeline flowers: is trained now" in planned.out
    said = ask(garden, "apply")
    assert said.code == 0, said.err
    assert "pipeline flowers: flowers@1 of flowers@1: accuracy 1" in said.out
    again = ask(garden, "apply", "--dry-run")
    assert "= pipeline flowers: trains at 0 3 * * * UTC" in again.out
    assert "nothing to do" in again.out
    (garden / "opsloop.yaml").write_text(PROJECT.replace("logistic_regression", "decision_tree"))
    assert "~ pipeline flowers: it was changed, and is trained again" in ask(garden, "apply", "--dry-run").out
    assert ask(garden, "apply").code == 0
    assert ask(garden, "train", "pipelines", "--json").answer["items"][0]["version"] == 2


def test_a_run_is_started_listed_shown_and_skipped(garden: Path) -> None:
    assert ask(garden, "train", "list").out == "no training runs yet; `opsloop train run PIPELINE` makes one\n"
    assert ask(garden, "data", "register", "flowers", str(garden / "flowers.csv")).code == 0
    done = ask(garden, "train", "run", "flowers", "--watch", "--json")
    assert done.code == 0, done.err
    assert (done.answer["status"], done.answer["model"]) == ("done", "flowers@1")
    shown = ask(garden, "train", "show", done.answer["id"])
    assert "flowers@1, 60 rows" in shown.out
    assert "accuracy" in shown.out
    again = ask(garden, "train", "run", "flowers", "--json")
    assert (again.code, again.answer["status"]) == (0, "skipped")
    fewer = ask(garden, "train", "run", "flowers", "--rows", "40", "--force", "--reason", "a try", "--json")
    assert (fewer.answer["rows"], fewer.answer["reason"]) == (40, "a try")
    listed = ask(garden, "train", "list", "flowers", "--json").answer["items"]
    assert [each["status"] for each in listed] == ["done", "skipped", "done"]
    assert "flowers@1" in ask(garden, "train", "pipelines").out


def test_what_is_wrong_ends_with_its_code_and_a_sentence(garden: Path) -> None:
    missing = ask(garden, "train", "run", "weeds")
    assert (missing.code, "no pipeline named 'weeds'" in missing.err) == (3, True)
    nothing = ask(garden, "train", "run", "flowers")
    assert (nothing.code, "flowers" in nothing.err) == (3, True)
    assert ask(garden, "data", "register", "flowers", str(garden / "flowers.csv")).code == 0
    failed = ask(garden, "train", "run", "flowers", "--window", '{"rows": 1}')
    assert failed.code == 1
    assert "of flowers failed: target: column kind" in failed.err
    assert ask(garden, "train", "run", "flowers", "--window", "[1]").code == 2
    over = ask(garden, "train", "list", "--json").answer["items"][0]["id"]
    assert ask(garden, "train", "cancel", over).code == 5
    assert ask(garden, "train", "show", "training_1").code == 3


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            "    target: kind\n",
            "    target: kind\n    schedule: daily\n",
            "pipelines.flowers: schedule: cron: is 'daily'",
        ),
        (
            "    target: kind\n",
            "    target: kind\n    notify: {slack: https://x.example/s3cret}\n",
            "notify.slack: wanted",
        ),
        ("[scale, logistic_regression]", "[scale, logistic_regresion]", "did you mean 'logistic_regression'?"),
        ("    target: kind\n", "", "target: wanted text; it is missing"),
    ],
)
def test_a_wrong_declaration_is_told_with_its_place(garden: Path, before: str, after: str, sentence: str) -> None:
    (garden / "opsloop.yaml").write_text(PROJECT.replace(before, after))
    said = ask(garden, "apply")
    assert said.code == 2
    assert "opsloop.yaml:6: pipelines.flowers" in said.err
    assert sentence in said.err
    assert "s3cret" not in said.err


def test_a_function_goes_along_with_what_lies_beside_it(garden: Path) -> None:
    steps = garden / "steps"
    steps.mkdir()
    (steps / "make.py").write_text(
        "from sklearn.tree import DecisionTreeClassifier\n\n\ndef make():\n    return DecisionTreeClassifier()\n"
    )
    (garden / "opsloop.yaml").write_text(
        PROJECT.replace("steps: [scale, logistic_regression]", "build: steps/make.py:make")
    )
    assert ask(garden, "apply").code == 0
    assert "nothing to do" in ask(garden, "apply").out
    (steps / "make.py").write_text((steps / "make.py").read_text().replace("()\n", "(max_depth=2)\n"))
    changed = ask(garden, "apply", "--dry-run", "--json").answer["steps"]
    assert [each["action"] for each in changed] == ["keep", "change"]
    (steps / "make.py").unlink()
    gone = ask(garden, "apply")
    assert (gone.code, "make.py is not there" in gone.err) == (2, True)
    assert json.loads(ask(garden, "train", "list", "--json").out)["items"][0]["status"] == "done"
