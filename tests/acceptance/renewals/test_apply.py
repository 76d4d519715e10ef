"""`opsloop apply` and `opsloop renewal` on a project whose endpoint serves a model."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.acceptance.in_process import Said, run
from tests.acceptance.renewals.stream import Row, flowers

PROJECT = """
project: signs
datasets:
  signs: {source: signs.csv}
pipelines:
  signs: {dataset: signs, target: same, steps: [decision_tree], cross_validation: {folds: 2}, schedule: none}
endpoints:
  signs:
    model: signs
    renewal: {pipeline: signs, on: [drift], margin: 0.1}
    strategy: blue-green
"""


def write(folder: Path, rows: list[Row]) -> None:
    lines = "".join(f"{row['a']},{row['b']},{row['same']}\n" for row in rows)
    (folder / "signs.csv").write_text("a,b,same\n" + lines)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "opsloop.yaml").write_text(PROJECT)
    write(tmp_path, flowers(400))
    return tmp_path


def ask(project: Path, *words: str) -> Said:
    return run(*words, "--project", str(project))


def declared(project: Path, before: str, after: str) -> None:
    (project / "opsloop.yaml").write_text(PROJECT.replace(before, after))


def test_apply_trains_gates_and_releases_the_first_model_and_has_nothing_to_do_then(project: Path) -> None:
    assert "+ endpoint signs: serves model signs" in ask(project, "apply", "--dry-run").out
    said = ask(project, "apply")
    assert said.code == 0, said.err
    assert "endpoint signs: signs@1 is promoted" in said.out
    again = ask(project, "apply")
    assert "= endpoint signs: serves release 1 (signs@1)" in again.out
    assert "nothing to do" in again.out
    listed = ask(project, "release", "list", "signs", "--json").answer["items"]
    assert [(each["serves"], each["kind"], each["gate"]) for each in listed] == [("signs@1", "model", "pass")]
    assert "judged" in ask(project, "renewal", "show", "signs").out


def test_a_changed_config_is_released_with_the_version_that_serves(project: Path) -> None:
    assert ask(project, "apply").code == 0
    declared(project, "on: [drift]", "on: [drift, schedule]")
    assert "~ endpoint signs: its config differs from release 1" in ask(project, "apply", "--dry-run").out
    said = ask(project, "apply")
    assert said.code == 0, said.err
    listed = ask(project, "release", "list", "signs", "--json").answer["items"]
    assert [each["serves"] for each in listed] == ["signs@1", "signs@1"]
    assert listed[0]["config"]["renewal"]["on"] == ["drift", "schedule"]
    assert "nothing to do" in ask(project, "apply").out


def test_a_version_that_is_named_is_held_against_the_one_that_serves(project: Path) -> None:
    assert ask(project, "apply").code == 0
    write(project, [*flowers(400), *flowers(200, seed=2)])
    assert ask(project, "apply").code == 0
    assert ask(project, "train", "run", "signs").code == 0
    declared(project, "model: signs", "model: signs@2")
    assert "~ endpoint signs: model signs@2 differs from signs@1" in ask(project, "apply", "--dry-run").out
    said = ask(project, "apply")
    assert (said.code, "signs@2 is promoted" in said.out) == (0, True), said.out
    assert "nothing to do" in ask(project, "apply").out


def test_a_first_model_that_learned_nothing_is_not_released(project: Path) -> None:
    rows = flowers(400)
    told = [row["same"] for row in rows]
    random.Random(5).shuffle(told)
    write(project, [{**row, "same": label} for row, label in zip(rows, told, strict=True)])
    said = ask(project, "apply")
    assert (said.code, "signs@1 is rejected. Gate" in said.out) == (6, True), said.out
    assert ask(project, "release", "list", "signs", "--json").answer["items"] == []


def test_a_person_starts_looks_and_ends_renewals(project: Path) -> None:
    declared(project, "on: [drift]", "on: [drift], approve: person")
    assert ask(project, "apply").code == 0
    first = ask(project, "renewal", "list", "signs", "--json").answer["items"][0]
    assert first["state"] == "awaiting_approval"
    waiting = ask(project, "renewal", "watch", "signs", "--timeout", "0")
    assert (waiting.code, "goes on" in waiting.err) == (8, True)
    assert ask(project, "renewal", "approve", "signs").code == 0
    assert ask(project, "renewal", "approve", "signs").code == 5
    nothing_new = ask(project, "renewal", "start", "signs", "--watch", "--reason", "a try")
    assert (nothing_new.code, "neither data nor pipeline have changed" in nothing_new.err) == (6, True), nothing_new
    assert ask(project, "renewal", "show", "nobody").code == 3
    assert ask(project, "renewal", "reject", "signs", "--reason", "no").code == 5


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("model: signs", "model: [signs]", "model: is ['signs']; wanted a model's name"),
        ("model: signs", "modl: signs", "endpoints.signs.modl is not known"),
        ("on: [drift]", "on: [rain]", "renewal.on: is ['rain']"),
        ("strategy: blue-green", "drift: {blok: row}", "drift.blok"),
        ("strategy: blue-green", "strategy: {canary: {}, shadow: {}}", "one strategy with its options"),
        ("strategy: blue-green", "flow: flows/answer", "endpoints.signs.flow is not known"),
        ("strategy: blue-green", "config: {renewal: {}}", "wanted beside config, as renewal"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(project: Path, before: str, after: str, sentence: str) -> None:
    declared(project, before, after)
    said = ask(project, "apply", "--dry-run")
    assert (said.code, sentence in said.err) == (2, True), said.err
    assert "opsloop.yaml:" in said.err
