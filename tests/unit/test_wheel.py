"""What goes into the wheel: the package, the examples, and nothing of the machine that builds it."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
WHEEL = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]


def test_the_examples_are_taken_along_as_templates() -> None:
    assert "examples" in WHEEL["only-include"]
    assert WHEEL["sources"]["examples"] == "opsloop/_examples"


def test_the_recipes_for_pipelines_are_taken_along() -> None:
    assert {"deploy/github-actions", "deploy/azure-pipelines"} <= set(WHEEL["only-include"])
    assert WHEEL["sources"]["deploy"] == "opsloop/_deploy"


def test_the_data_and_the_key_of_a_platform_that_ran_on_an_example_stay_here() -> None:
    assert ".opsloop" in WHEEL["exclude"]
    assert "force-include" not in WHEEL, "hatch excludes nothing from what it is forced to include"
