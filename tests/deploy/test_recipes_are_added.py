"""`opsloop ci add` writes the recipes into a project, with its names, and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.in_process import run

PLACES = {"github-actions": ".github/workflows", "azure-pipelines": ".azure-pipelines"}
DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.parametrize("system", sorted(PLACES))
def test_the_names_are_those_of_the_project(tmp_path: Path, system: str) -> None:
    (tmp_path / "opsloop.yaml").write_text("project: shop\n")
    said = run(
        *("ci", "add", system, "--experiment", "checkout", "--endpoint", "shop", "--json"), "--project", str(tmp_path)
    )
    assert said.code == 0, said.err
    wanted = sorted(file for file in (DEPLOY / system).glob("*.yml") if file.name != "train-model.yml")
    assert sorted(file.name for file in (tmp_path / PLACES[system]).iterdir()) == [file.name for file in wanted]
    for file in wanted:
        text = (tmp_path / PLACES[system] / file.name).read_text()
        expected = file.read_text().replace("support-chat", "shop").replace("answers", "checkout")
        assert text == expected
        assert "support-chat" not in text


def test_the_recipe_that_trains_comes_for_a_pipeline(tmp_path: Path) -> None:
    (tmp_path / "opsloop.yaml").write_text("project: shop\n")
    project = ("--project", str(tmp_path))
    said = run("ci", "add", "github-actions", "--pipeline", "demand", *project, "--json")
    assert said.answer["files"] == [".github/workflows/train-model.yml"]
    text = (tmp_path / ".github" / "workflows" / "train-model.yml").read_text()
    assert "PIPELINE: demand\n" in text
    assert "iris" not in text
    assert run("ci", "add", "azure-pipelines", "--pipeline", "demand", *project).code == 2
    nothing = run("ci", "add", "github-actions", *project)
    assert (nothing.code, "--experiment and --endpoint, or --pipeline" in nothing.err) == (2, True)
    assert run("ci", "add", "github-actions", "--experiment", "answers", *project).code == 2


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "opsloop.yaml").write_text("project: shop\n")
    mine = tmp_path / ".github" / "workflows" / "main.yml"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    words = ("ci", "add", "github-actions", "--experiment", "a", "--endpoint", "b", "--project", str(tmp_path))
    said = run(*words)
    assert said.code == 5
    assert "main.yml is there already" in said.err
    assert mine.read_text() == "mine"
    assert [file.name for file in mine.parent.iterdir()] == ["main.yml"]


def test_a_name_that_would_be_more_than_a_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "opsloop.yaml").write_text("project: shop\n")
    words = ("--experiment", "a; rm -rf ~", "--endpoint", "b", "--project", str(tmp_path))
    said = run("ci", "add", "github-actions", *words)
    assert said.code == 2
    assert "--experiment" in said.err
