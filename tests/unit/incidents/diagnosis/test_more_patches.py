"""Slips in workflows, pipelines and manifests are mended: applied, linted, and nothing else is touched."""

from __future__ import annotations

import re

import pytest

from opsloop.incidents.diagnosis.engine import diagnose
from opsloop.incidents.diagnosis.patches import fields, linting, making
from opsloop.incidents.diagnosis.patches.linters import azure_schema, github_schema, kubernetes_fields

WORKFLOW = """\
on: push
env:
  REGION: eu
jobs:
  test:
    runs-on: ubuntu-24.04  # as in production
    strategy:
      matrix:
        python: ["3.11", "3.12"]
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - name: Build
        run: make ${{ matrix.python }}
        working-directory: frontend
        env:
          API_URL: https://api.example.com
          API_KEY: ${{ secrets.API_KEY }}
      - name: Test
        run: make test
        working-directory: frontend
"""
AZURE = """\
trigger: [main]
pool:
  vmImage: ubuntu-24.04
steps:
  - script: make
    displayName: Build
  - task: UsePythonVersion@0
    inputs:
      versionSpec: "3.12"
"""
MANIFEST = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
    - port: 80
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: shop/web:1.4  # pinned
          imagePullPolicy: IfNotPresent
          readinessProbe:
            httpGet: {path: /ready, port: 8080}
"""
INVALID = "##[error]The workflow is not valid. .github/workflows/a.yml (Line: 7, Col: 5): Unexpected value '{}'\n"
PIPELINE = "##[error]/azure-pipelines.yml (Line: 5, Col: 3): Unexpected value '{}'\n"
STRICT = 'Error from server (BadRequest): error when creating "a": strict decoding error: unknown field "{}"\n'
VALIDATED = 'error: error validating data: ValidationError(Deployment.spec): unknown field "{}" in x.DeploymentSpec\n'
IN_POD = "spec.template.spec.containers[0]."
ENDED = "##[error]Process completed with exit code 1.\n"
IN_TEST = "##[group]Run make test\n{}" + ENDED
NO_FOLDER = "##[error]An error occurred trying to start process '/usr/bin/bash' with working directory "

# What is right, how it was written instead, and what the log says.
SLIPS = (
    (WORKFLOW, "    runs-on:", "    run-on:", INVALID.format("run-on")),
    (WORKFLOW, "    runs-on:", "    runs_on:", INVALID.format("runs_on")),
    (WORKFLOW, "    steps:", "    step:", INVALID.format("step")),
    (WORKFLOW, "    steps:", "    step:", 'a.yml:6:5: unexpected key "step" for "job" section. [syntax-check]\n'),
    (WORKFLOW, "env:\n  REGION", "envs:\n  REGION", INVALID.format("envs")),
    (WORKFLOW, "      matrix:", "      matrx:", INVALID.format("matrx")),
    (WORKFLOW, "      - uses:", "      - use:", INVALID.format("use")),
    (WORKFLOW, "          fetch-depth: 0", "        fetch-depth: 0", INVALID.format("fetch-depth")),
    (WORKFLOW, "matrix.python", "matirx.python", INVALID[:60] + "Unrecognized named-value: 'matirx'. Located at 1\n"),
    (AZURE, "- script:", "- scripts:", PIPELINE.format("scripts")),
    (AZURE, "    displayName:", "    displayname:", PIPELINE.format("displayname")),
    (AZURE, "    inputs:", "    input:", PIPELINE.format("input")),
    (AZURE, "trigger:", "triggers:", PIPELINE.format("triggers")),
    (MANIFEST, "  replicas:", "  replica:", STRICT.format("spec.replica")),
    (MANIFEST, "  replicas:", "  replica:", VALIDATED.format("replica")),
    (MANIFEST, "          imagePullPolicy:", "          imagePullPolcy:", STRICT.format(IN_POD + "imagePullPolcy")),
    (MANIFEST, "          readinessProbe:", "          readynessProbe:", STRICT.format(IN_POD + "readynessProbe")),
    (MANIFEST, "  ports:", "  port:", STRICT.format("spec.port")),
)  # fmt: skip


def patched(text: str, log: str) -> str | None:
    """The file with the patch applied; the linters of its kind pass what is shown."""
    found = diagnose([log.encode()], workflow=text)
    if found.yaml_patch is None:
        return None
    mended = making.applied(text, found.yaml_patch)
    assert mended is not None
    documents = making.read(mended)
    for linter in (github_schema, azure_schema, kubernetes_fields):
        if any(map(linter.fits, documents)):
            assert linter.passes(documents, mended)
    return mended


@pytest.mark.parametrize(("right", "was", "slip", "log"), SLIPS)
def test_a_slip_is_mended_and_nothing_else(right: str, was: str, slip: str, log: str) -> None:
    wrong = right.replace(was, slip, 1)
    assert wrong != right
    mended = patched(wrong, log)
    if was in ("trigger:", "      - uses:"):
        assert mended is None, "what starts a pipeline is never changed, and no action that is not pinned begins to run"
        return
    assert mended is not None
    assert making.read(mended) == making.read(right)
    assert len(set(mended.splitlines()) ^ set(right.splitlines())) <= 2


def test_jobs_that_stand_beside_their_name_are_put_below_it() -> None:
    wrong = "on: push\njobs:\n  test:\n  runs-on: ubuntu-24.04\n  steps:\n    - run: make\n"
    mended = patched(wrong, INVALID.format("runs-on"))
    assert mended is not None
    assert making.read(mended)[0]["jobs"] == {"test": {"runs-on": "ubuntu-24.04", "steps": [{"run": "make"}]}}


def test_a_variable_of_another_step_is_given_to_the_one_that_lacks_it() -> None:
    mended = patched(WORKFLOW, IN_TEST.format("/tmp/1.sh: line 2: API_URL: unbound variable\n"))
    assert mended is not None
    assert making.read(mended)[0]["jobs"]["test"]["steps"][2]["env"] == {"API_URL": "https://api.example.com"}


@pytest.mark.parametrize(
    ("text", "log"),
    [
        (WORKFLOW, IN_TEST.format("/tmp/1.sh: line 2: API_KEY: unbound variable\n")),
        (WORKFLOW, IN_TEST.format("/tmp/1.sh: line 2: OTHER: unbound variable\n")),
        (WORKFLOW.replace("secrets.", "secret."), INVALID[:60] + "Unrecognized named-value: 'secret'. Located at 1\n"),
        (WORKFLOW.replace("    runs-on:", "    zzz:"), INVALID.format("zzz")),
        (WORKFLOW.replace("    runs-on:", "    permission:"), INVALID.format("permission")),
        (MANIFEST.replace("replicas", "qqq"), STRICT.format("spec.qqq")),
        (MANIFEST.replace("replicas", "replica").replace("Deployment", "Rollout"), STRICT.format("spec.replica")),
        (MANIFEST.replace("replicas: 2", "replica: 2\n  replicas: 2"), STRICT.format("spec.replica")),
    ],
)  # fmt: skip
def test_no_patch_where_it_would_be_a_guess_or_use_a_secret(text: str, log: str) -> None:
    assert patched(text, log) is None


def test_a_folder_that_is_misspelt_is_spelt_as_the_other_steps_do() -> None:
    wrong = WORKFLOW.replace("working-directory: frontend\n        env", "working-directory: fronted\n        env")
    said = NO_FOLDER + "'/home/runner/work/shop/shop/./fronted'. No such file or directory\n"
    assert patched(wrong, IN_TEST.format(said)) == WORKFLOW


def test_a_step_that_found_no_project_works_where_the_others_do() -> None:
    wrong = re.sub(r"(run: make test\n) +working-directory: frontend\n", r"\1", WORKFLOW)
    said = "npm ERR! enoent ENOENT: no such file or directory, open '/home/runner/work/a/a/package.json'\n"
    assert patched(wrong, IN_TEST.format(said)) == WORKFLOW


@pytest.mark.parametrize(
    ("text", "log"),
    [
        (WORKFLOW, "##[error]The ubuntu-20.04 environment is unsupported, and has been removed.\n"),
        (AZURE, "##[error]No image label found to route agent pool Azure Pipelines.\n"),
    ],
)
def test_an_image_that_is_gone_becomes_the_next_of_its_kind(text: str, log: str) -> None:
    mended = patched(text.replace("ubuntu-24.04", "ubuntu-20.04"), log)
    assert mended == text.replace("ubuntu-24.04", "ubuntu-22.04")


def test_a_patch_of_a_file_that_stays_wrong_elsewhere_is_not_shown() -> None:
    wrong = WORKFLOW.replace("    runs-on:", "    run-on:") + "      - ruin: make\n"
    assert patched(wrong, INVALID.format("run-on")) is None
    assert linting.faults(making.read(WORKFLOW), making.read(wrong), WORKFLOW, wrong)


def test_each_type_of_the_table_is_there() -> None:
    named = {kind for known in fields.table().values() for kind in known.values() if kind}
    assert named <= set(fields.table())
    assert list(fields.unknown(making.read(MANIFEST)[1])) == []
