"""The recipe that trains is run line by line: model and figures come into the bucket, a channel hears of both ends."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.deploy.github import Workflow, schedule_event
from tests.deploy.machine import Machine
from tests.deploy.repository import Repository

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "deploy" / "github-actions" / "train-model.yml"
PLACES = {
    "models": {
        "vars": {"AWS_REGION": "eu-central-1", "AWS_ROLE_ARN": "arn:aws:iam::1:role/x", "ML_ARTIFACTS_BUCKET": "ours"},
        "secrets": {"SLACK_WEBHOOK": "https://hooks.example.com/s3cret"},
    }
}
# Stand-ins that keep what they were asked for beside them.
AWS = """\
#!/bin/sh
printf '%s\\n' "$@" >"$HOME/aws"
mkdir -p "$HOME/bucket" && cp -R "$3/models" "$3/metrics" "$HOME/bucket"
"""
CURL = """\
#!/bin/sh
for each in "$@"; do
  case "$each" in
    @*) cat "${each#@}" ;;
    *) printf '%s\\n' "$each" ;;
  esac
done >"$HOME/curl"
"""


def machine(folder: Path) -> Machine:
    made = Machine(folder)
    for name, text in (("aws", AWS), ("curl", CURL)):
        program = folder / "bin" / name
        program.write_text(text)
        program.chmod(0o755)
    return made


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "remote.git", tmp_path / "work")
    shutil.copytree(
        ROOT / "examples" / "iris", made.work, ignore=shutil.ignore_patterns(".opsloop"), dirs_exist_ok=True
    )
    made.push("main", "The flowers")
    return made


@pytest.mark.slow
def test_model_and_figures_are_published_and_told(repository: Repository, tmp_path: Path) -> None:
    on = machine(tmp_path / "good")
    jobs = Workflow(RECIPE, on, repository.remote, "main", schedule_event(), PLACES).run()
    assert not jobs["train"].failed, jobs["train"].said
    assert not jobs["publish"].failed, jobs["publish"].said
    assert jobs["failed"].skipped
    kept = sorted(file.relative_to(on.folder / "bucket").as_posix() for file in (on.folder / "bucket").rglob("*.*"))
    stamps = {re.sub(r"\D+", "", name.partition("-")[2].partition(".")[0]) for name in kept}
    assert [name.partition("-")[0] for name in kept] == ["metrics/metrics", "metrics/metrics", "models/model"]
    assert len(stamps) == 1
    assert re.fullmatch(r"\d{14}", stamps.pop())
    assert "s3://ours" in (on.folder / "aws").read_text().splitlines()
    told = (on.folder / "curl").read_text()
    assert "*iris*: training finished" in told
    assert "accuracy 0.9" in told
    bundle = on.folder / "artifacts" / "model" / "model_artifacts"
    assert {"model.onnx", "baseline.npy", "expectations.json"} <= {file.name for file in bundle.iterdir()}


@pytest.mark.slow
def test_a_training_that_fails_publishes_nothing_and_is_told(repository: Repository, tmp_path: Path) -> None:
    file = repository.work / "opsloop.yaml"
    file.write_text(file.read_text().replace("target: species", "target: colour"))
    commit = repository.push("main", "A target that is not there")
    on = machine(tmp_path / "bad")
    jobs = Workflow(RECIPE, on, repository.remote, commit, schedule_event(), PLACES).run()
    assert jobs["train"].codes["Train and measure"] == 2, jobs["train"].said
    assert "is 'colour'" in jobs["train"].said
    assert jobs["publish"].skipped
    assert not jobs["failed"].failed, jobs["failed"].said
    assert "Training failed: https://github.com/acme/models/actions/runs/42" in (on.folder / "curl").read_text()
