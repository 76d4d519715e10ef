"""The projects that train: what they make of their data, and what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from tests.acceptance.in_process import run
from tests.acceptance.templates.made import Made


def only_run(project: Made) -> dict[str, Any]:
    """The run that `opsloop apply` made."""
    [listed] = project("train", "list").answer["items"]
    found: dict[str, Any] = listed
    return found


def test_flowers_are_told_apart_and_the_files_are_named_by_their_time(made: Callable[[str], Made]) -> None:
    project = made("iris")
    done = only_run(project)
    assert (done["status"], done["model"], done["data"], done["rows"]) == ("done", "iris@1", "iris@1", 150)
    assert done["metrics"]["accuracy"] >= 0.9
    store = project.folder / ".opsloop" / "artifacts"
    assert all((store / key).is_file() for key in done["artifacts"].values())
    figures = json.loads((store / done["artifacts"]["metrics_json"]).read_text())
    assert figures["metrics"] == done["metrics"]
    again = project("train", "run", "iris")
    assert (again.code, again.answer["status"], again.answer["same_as"]) == (0, "skipped", done["id"])
    [pipeline] = project("train", "pipelines").answer["items"]
    assert pipeline["schedule"] == "0 3 * * *"


def test_flowers_that_cannot_be_are_not_learned_from(made: Callable[[str], Made]) -> None:
    project = made("iris")
    project.change("data/iris.csv", "5.9,3.0,5.1,1.8,2", "59,3.0,5.1,1.8,2")
    said = project("apply")
    assert said.code == 6
    assert "between sepal_length" in said.err
    assert only_run(project)["data"] == "iris@1"


def test_a_house_has_a_price_and_an_interval_that_holds(made: Callable[[str], Made]) -> None:
    done = only_run(made("house-prices"))
    assert done["status"] == "done"
    assert done["metrics"]["r2"] > 0.7
    assert math.isclose(done["metrics"]["rmse"] ** 2, done["metrics"]["mse"], rel_tol=1e-6)
    [wide, _] = done["report"]["intervals"]
    assert wide["alpha"] == 0.1
    assert wide["coverage"] >= 0.85
    assert done["report"]["importance"][0]["name"] in ("median_income", "ocean_proximity", "longitude", "latitude")


def test_a_year_that_arrives_is_learned_from(made: Callable[[str], Made]) -> None:
    project = made("bike-rentals")
    first = only_run(project)
    assert (first["status"], first["rows"]) == ("done", 8645)
    assert first["metrics"]["r2"] > 0.6
    data = project.folder / "data"
    hours = project.folder / "hours.csv"
    arrived = (data / "2012.csv").read_text().splitlines(keepends=True)[1:4301]
    hours.write_text((data / "2011.csv").read_text() + "".join(arrived))
    assert project("data", "register", "rentals", str(hours)).code == 0
    said = project("train", "run", "rentals", "--reason", "half a year arrived")
    assert said.code == 0, said.err
    assert (said.answer["model"], said.answer["data"], said.answer["rows"]) == ("rentals@2", "rentals@2", 8760)
    assert said.answer["steps"][0]["says"] == "rentals@2, the newest 8,760 rows by at"


def test_a_tabular_model_starts_from_the_flowers(tmp_path: Any) -> None:
    said = run("init", str(tmp_path / "mine"), "--template", "tabular-model", "--json")
    assert said.answer["template"] == "iris"
    assert (tmp_path / "mine" / "data" / "iris.csv").is_file()
