"""What every template keeps: it is listed with what it gives, starts, is valid, and passes its gate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from opsloop.client.project import load
from tests.acceptance.in_process import run
from tests.acceptance.templates.made import Made

EXAMPLES = Path(__file__).parents[3] / "examples"
TEMPLATES = sorted(file.parent.name for file in EXAMPLES.glob("*/opsloop.yaml"))


def test_the_templates_of_the_first_use_cases_are_there() -> None:
    assert {"document-search", "report-generation", "support-chatbot"} <= set(TEMPLATES)


def test_the_list_says_what_each_template_gives() -> None:
    listed = run("init", "--json").answer["items"]
    assert [each["name"] for each in listed] == TEMPLATES
    assert all(20 < len(each["description"]) < 100 for each in listed), listed
    words = run("init").out.splitlines()
    assert [line.split()[0] for line in words[1:]] == TEMPLATES


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_project_from_a_template_passes_its_gate_and_serves(made: Callable[[str], Made], template: str) -> None:
    project = made(template)
    wanted = load(project.folder)
    for endpoint in wanted.endpoints.values():
        history = project("release", "list", endpoint.name)
        assert [each["number"] for each in history.answer["items"]] == [1]
        assert project("flow", "validate", str(endpoint.flow)).answer["warnings"] == []
        assert project("flow", "show", str(endpoint.flow)).answer["mermaid"].startswith("flowchart")
    for model_endpoint in wanted.model_endpoints.values():
        history = project("release", "list", model_endpoint.name)
        assert [(each["number"], each["gate"]) for each in history.answer["items"]] == [(1, "pass")]
    again = project("apply")
    assert {step["action"] for step in again.answer["steps"]} == {"keep"}


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_carries_nothing_of_a_machine(template: str) -> None:
    files = [file.relative_to(EXAMPLES) for file in (EXAMPLES / template).rglob("*") if file.is_file()]
    kept = {part for file in files for part in file.parts} & {".opsloop", "__pycache__", ".DS_Store"}
    assert kept <= {".opsloop"}, kept  # a platform that runs on an example keeps its data there; git and init ignore it
    assert (EXAMPLES / template / "NOTICE.md").is_file()
