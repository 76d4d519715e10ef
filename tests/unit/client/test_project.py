from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.client import project
from opsloop.client.project import ProjectInvalid, ProjectMissing
from opsloop.client.yaml_lines import YamlUnreadable

GOOD = """\
project: support
settings: {port: 8701, log_level: debug}
collections:
  handbook: {source: data/handbook.jsonl}
datasets:
  questions:
    source: data/handbook.jsonl
    tags: [golden]
experiments:
  answers: {file: experiment.yaml}
endpoints:
  chat:
    flow: flows/answer
    experiment: answers
    strategy:
      canary:
        steps: [{share: 0.1}]
demo: {anything: [1, 2]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("data/handbook.jsonl", "experiment.yaml", "flows/answer/flow.dag.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def written(folder: Path, content: str | bytes) -> Path:
    data = content if isinstance(content, bytes) else content.encode()
    (folder / project.FILE).write_bytes(data)
    return folder


def test_a_project_is_read_with_absolute_paths(folder: Path) -> None:
    found = project.load(written(folder, GOOD))

    assert found.name == "support"
    assert found.settings == {"port": 8701, "log_level": "debug"}
    assert found.collections["handbook"].source == folder / "data/handbook.jsonl"
    assert found.datasets["questions"].tags == ("golden",)
    assert found.experiments == {"answers": folder / "experiment.yaml"}
    assert found.endpoints["chat"].strategy == {"canary": {"steps": [{"share": 0.1}]}}
    assert found.demo == {"anything": [1, 2]}


def test_an_empty_file_is_a_project_that_wants_nothing(folder: Path) -> None:
    found = project.load(written(folder, ""))

    assert (found.name, dict(found.endpoints)) == (folder.name, {})


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("datasets:", "dataset:", r":5: dataset is not known; did you mean 'datasets'\?"),
        ("tags:", "tag:", r":8: datasets\.questions\.tag is not known; did you mean 'tags'\?"),
        ("tags: [golden]", "tags: golden", r":8: datasets\.questions\.tags is 'golden'; wanted a list of texts"),
        ("tags: [golden]", "tags: [1]", r":8: datasets\.questions\.tags is \[1\]; wanted a list of texts"),
        ("    source: data/handbook.jsonl\n", "", r":6: datasets\.questions: source is missing; wanted a path"),
        ("data/handbook.jsonl}", "data/hand.jsonl}", r":4: collections\.handbook\.source is 'data/hand.jsonl'; wanted"),
        ("flow: flows/answer", "flow: 3", r":13: endpoints\.chat\.flow is 3; wanted text"),
        ("experiment: answers", "experiment: answer", r":14: endpoints\.chat\.experiment .*mean 'answers'"),
        ("project: support", "project: [a]", r":1: project is \['a'\]; wanted text"),
        ("log_level: debug", "log_level: [a]", r":2: settings\.log_level is \['a'\]; wanted one value"),
        ("port: 8701", "PORT: 8701", r":2: settings\.PORT .*in lower case: port"),
        ("  questions:", "  what is this?:", r":6: datasets\.what is this\? .*letters, digits"),
        ("demo: {anything: [1, 2]}", "demo: 3", r":18: demo is 3; wanted a mapping"),
        ("canary:\n", "canary: {}\n      blue_green:\n", r":15: endpoints\.chat\.strategy .*wanted one strategy"),
        ("tags: [golden]", "tags: [golden]\n    tags: [b]", r":9: the key 'tags' stands twice"),
        ("project: support", "project: *nothing", r":1: not valid YAML"),
        ("project: support", "project: !!python/object:os.system x", r":1: .*not a value that is understood"),
        ("project: support", "? [a, b]\n: c", r":1: wanted text as a key"),
    ],
)
def test_what_is_wrong_is_named_with_line_key_and_wanted_form(folder: Path, old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    with pytest.raises((ProjectInvalid, YamlUnreadable), match=sentence):
        project.load(written(folder, GOOD.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("chunking: words", r"handbook\.chunking is 'words'; wanted one of sentences, "),
        ("embedder: ada", r"handbook\.embedder is 'ada'; wanted lsa, onnx:FOLDER or openai:MODEL"),
        ("store: redis", r"handbook\.store is 'redis'; wanted embedded or pgvector or dynamodb"),
        ("min_support: 2", r"handbook\.min_support is 2; wanted a number from 0 to 1"),
        ("vector_weight: true", r"handbook\.vector_weight is True; wanted a number from 0 to 1"),
        ("readers: key:ci", r"handbook\.readers is 'key:ci'; wanted a list"),
        ("writers: [somebody]", r"handbook\.writers is 'somebody'; wanted a caller such as key:ci"),
        ("retention_days: 0", r"handbook\.retention_days is 0; wanted a whole number of days from 1 to 36,500"),
        ("retention_days: 1.5", r"handbook\.retention_days is 1\.5; wanted a whole number of days"),
        ("reader: [key:ci]", r"handbook\.reader is not known; did you mean 'readers'\?"),
    ],
)
def test_what_is_wrong_with_a_collection_is_named(folder: Path, key: str, sentence: str) -> None:
    declared = GOOD.replace("data/handbook.jsonl}", f"data/handbook.jsonl, {key}}}", 1)
    with pytest.raises(ProjectInvalid, match=rf":4: collections\.{sentence}"):
        project.load(written(folder, declared))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("- a\n- b\n", "wanted a mapping"),
        (b"project: \xff\n", "not UTF-8 text"),
        ("project: a\x00b\n", "not valid YAML"),
        ("demo: " + "[" * 200 + "]" * 200, "levels deep|not valid YAML"),
        ("x" * 1_000_001, "over the limit"),
        (
            "a: &a [x, x]\nb: &b [*a, *a]\n"
            + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("bcdefghijklmnop", "cdefghijklmnopq", strict=True)),
            "holds over",
        ),
        ("a: &a [*a]\n", "levels deep|not valid YAML"),
    ],
)
def test_hostile_files_are_refused_with_a_sentence(folder: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(YamlUnreadable, match=sentence):
        project.load(written(folder, content))


def test_the_nearest_project_is_the_folder_or_one_above(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(folder, GOOD)
    monkeypatch.chdir(folder / "flows" / "answer")

    assert project.nearest().folder == folder


def test_without_a_project_there_is_an_empty_one_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert project.nearest().folder == tmp_path
    with pytest.raises(ProjectMissing, match=r"no opsloop\.yaml in"):
        project.nearest(tmp_path)
