"""The recipes for pipelines: valid by their schemas, and nothing that a linter of security finds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

DEPLOY = Path(__file__).parents[2] / "deploy"
GITHUB = sorted((DEPLOY / "github-actions").glob("*.yml"))
AZURE = sorted((DEPLOY / "azure-pipelines").glob("*.yml"))
RIGHTS: tuple[dict[str, str], ...] = (
    {},
    {"contents": "read"},
    {"pull-requests": "write"},
    {"id-token": "write"},
    {"actions": "read", "pull-requests": "write"},  # reads the log of a job that failed, and comments
)
PROGRAMS = Path(sys.executable).parent


def said_by(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, check=False)


def test_both_systems_have_the_same_recipes() -> None:
    assert [file.stem for file in AZURE] == ["diagnose", "main", "post-production", "pull-request"]
    # Training takes a role of AWS by the identity of the workflow, which GitHub gives.
    assert [file.stem for file in GITHUB] == ["diagnose", "main", "post-production", "pull-request", "train-model"]


def test_workflows_fit_githubs_schema() -> None:
    done = said_by(PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *GITHUB)
    assert done.returncode == 0, done.stdout


def test_pipelines_fit_azures_schema() -> None:
    schema = ("--builtin-schema", "vendor.azure-pipelines", "--regex-variant", "nonunicode")
    done = said_by(PROGRAMS / "check-jsonschema", *schema, *AZURE)
    assert done.returncode == 0, done.stdout


def test_zizmor_finds_nothing_even_when_it_is_pedantic() -> None:
    done = said_by(PROGRAMS / "zizmor", "--offline", "--no-progress", "--persona", "pedantic", *GITHUB)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", GITHUB, ids=lambda file: file.stem)
def test_actionlint_finds_nothing(actionlint: str, file: Path) -> None:
    done = said_by(actionlint, file)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", GITHUB, ids=lambda file: file.stem)
def test_actions_are_pinned_to_a_commit_and_say_which_version_it_is(file: Path) -> None:
    uses = re.findall(r"uses: (.*)", file.read_text())
    assert uses
    assert all(re.fullmatch(r"(?:aws-)?actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in uses)


@pytest.mark.parametrize("file", GITHUB, ids=lambda file: file.stem)
def test_no_job_has_more_rights_than_it_says_why(file: Path) -> None:
    declared: dict[str, Any] = YAML(typ="safe").load(file.read_text())
    assert declared["permissions"] == {}
    assert "concurrency" in declared
    for job in declared["jobs"].values():
        assert job["timeout-minutes"] <= 120
        assert job["permissions"] in RIGHTS
        checks_out = any("actions/checkout" in step.get("uses", "") for step in job["steps"])
        assert checks_out == (job["permissions"] == {"contents": "read"}), "who may write runs nobody's code"


@pytest.mark.parametrize("file", GITHUB, ids=lambda file: file.stem)
def test_no_line_takes_text_of_others_into_a_shell(file: Path) -> None:
    declared: dict[str, Any] = YAML(typ="safe").load(file.read_text())
    lines = [step["run"] for job in declared["jobs"].values() for step in job["steps"] if "run" in step]
    assert lines
    assert not [line for line in lines if "${{" in line or "\n" in line]


def test_training_keeps_no_key_of_the_cloud() -> None:
    text = (DEPLOY / "github-actions" / "train-model.yml").read_text()
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"SLACK_WEBHOOK"}
    assert 'cron: "0 3 * * *"' in text


def test_pull_requests_see_no_secret() -> None:
    text = (DEPLOY / "github-actions" / "pull-request.yml").read_text()
    assert "secrets." not in text
    assert "pull_request_target" not in text
