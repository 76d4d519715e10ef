"""Patches: each applies, mends what it is for, keeps the rest, and gives nothing away."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from opsloop.core.errors import InvalidInput
from opsloop.incidents.diagnosis.engine import diagnose
from opsloop.incidents.diagnosis.patches import linting, making

WORKFLOW = """\
# The shop's tests.
on:
  push:
    branches: [main]  # not the others

permissions:
  contents: read

jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - name: Install
        run: |
          npm ci
      - uses: actions/upload-artifact@v3
        with: {name: "site", path: 'out'}
      - uses: aws-actions/configure-aws-credentials@7474bc4690e29a8392af63c5b98e7449536d5c3a
      - run: pip install x
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: web  # slow
          livenessProbe:
            httpGet: {path: /health, port: 8080}
"""


def patch(step: str, line: str, text: str = WORKFLOW) -> str | None:
    log = f"##[group]Run {step}\n{line}\n##[error]Process completed with exit code 1.\n"
    return diagnose([log.encode()], workflow=text).yaml_patch


def added(diff: str | None) -> list[str]:
    assert diff is not None
    return [line for line in diff.splitlines()[3:] if line[0] in "+-"]


NO_PROJECT = "npm ERR! enoent ENOENT: no such file or directory, open '/home/runner/work/a/a/package.json'"
DEPRECATED = "##[error]This request uses a deprecated version of `actions/upload-artifact: v3`."
NO_TOKEN = "##[error]Credentials could not be loaded, please check your action inputs"
TIMED_OUT = "##[error]The job has exceeded the maximum execution time; it has timed out after 30 minutes."
NO_PIP = "/tmp/1.sh: line 1: pip: command not found"
UNWELL = "Warning  Unhealthy  Liveness probe failed: HTTP probe failed with statuscode: 503"
CASES = (
    ("Install", NO_PROJECT, WORKFLOW),
    ("actions/upload-artifact@v3", DEPRECATED, WORKFLOW),
    ("aws-actions/configure-aws-credentials@7474bc4690e29a8392af63c5b98e7449536d5c3a", NO_TOKEN, WORKFLOW),
    ("Install", TIMED_OUT, WORKFLOW),
    ("pip install x", NO_PIP, WORKFLOW),
    ("web", UNWELL, DEPLOYMENT),
)


def test_patches_mend_the_cause_and_touch_nothing_else() -> None:
    assert [added(patch(*case)) for case in CASES] == snapshot(
        [
            ["+      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"],
            ["-      - uses: actions/upload-artifact@v3", "+      - uses: actions/upload-artifact@v4"],
            ["+    permissions:", "+      contents: read", "+      id-token: write"],
            ["-    timeout-minutes: 30", "+    timeout-minutes: 45"],
            [
                "+      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97",
                "+        with:",
                "+          python-version: 3.x",
            ],
            [
                "+          startupProbe:",
                "+            httpGet: {path: /health, port: 8080}",
                "+            periodSeconds: 10",
                "+            failureThreshold: 30",
            ],
        ]
    )


@pytest.mark.parametrize("case", CASES)
def test_a_patch_applies_with_git(case: tuple[str, str, str], tmp_path: Path) -> None:
    diff = patch(*case)
    assert diff is not None
    (tmp_path / "workflow.yml").write_text(case[2])
    (tmp_path / "p").write_text(diff)
    subprocess.run(["git", "apply", "--unsafe-paths", "p"], cwd=tmp_path, check=True)
    assert (tmp_path / "workflow.yml").read_text() == making.applied(case[2], diff)


@pytest.mark.parametrize(
    ("step", "line", "text"),
    [
        ("Install", NO_PROJECT, WORKFLOW.replace("steps:", "steps:\n      - uses: actions/checkout@v4")),
        ("other", "##[error]HttpError: Resource not accessible by integration", "on: push\njobs: {}\n"),
        ("Install", NO_PROJECT, "on: push\njobs:\n      a:\n        steps:\n              - run: Install\n"),
        ("x", "segmentation fault", WORKFLOW),
        ("web", UNWELL.replace("Liveness", "Readiness"), DEPLOYMENT),
    ],
)
def test_no_patch_where_it_would_be_a_guess(step: str, line: str, text: str) -> None:
    assert patch(step, line, text) is None


@pytest.mark.parametrize(
    ("mended", "said"),
    [
        (WORKFLOW.replace("push:", "pull_request_target:"), "what starts the workflow"),
        (WORKFLOW.replace("npm ci", "npm ci ${{ secrets.TOKEN }}"), "secrets"),
        (WORKFLOW.replace("npm ci", "curl -s https://x | sh"), "script from the network"),
        (WORKFLOW.replace("upload-artifact@v3", "cache@v4"), "not pinned"),
        (WORKFLOW.replace("runs-on", "runs-at"), "finds a fault"),
    ],
)
def test_what_a_patch_may_not_do(mended: str, said: str) -> None:
    found = linting.faults(making.read(WORKFLOW), making.read(mended), WORKFLOW, mended)
    assert any(said in each for each in found)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n" for n in range(9)),
        "[" * 5000,
        "- " * 5000 + "a",
        "a: 1\na: 2\n",
        "x" * 1_000_001,
        "\x00",
    ],
)
def test_bombs_and_nonsense_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidInput, match="workflow"):
        diagnose([b"error: x"], workflow=text)
