"""Preparations, and datasets that are elsewhere, in `opsloop.yaml`."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from opsloop.client import preparing
from opsloop.client.http import Client
from opsloop.client.project import ProjectInvalid, load
from opsloop.core.errors import InvalidInput

FILE = """
datasets:
  orders: {source: {iceberg: {catalog: prod, table: sales.orders}}, tags: [golden]}
  logs: {source: "s3://bucket/logs/*.jsonl"}
  parts: {source: "data/*.csv"}
  own: {source: data/own.csv}
preparations:
  golden:
    schedule: "0 2 * * *"
    read: {source: data/own.csv}
    clean:
    - trim: [q]
    - python: prepare.py:clean
    register: {as: golden}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "own.csv").write_text("q\na\n")
    (tmp_path / "prepare.py").write_text("def clean(rows):\n    return rows\n")
    (tmp_path / "opsloop.yaml").write_text(FILE)
    return tmp_path


def client(*, is_local: bool) -> Client:
    return cast(Client, SimpleNamespace(is_local=is_local))


def test_where_the_rows_of_a_dataset_are(folder: Path) -> None:
    found = load(folder).datasets
    assert found["orders"].elsewhere == {"iceberg": {"catalog": "prod", "table": "sales.orders"}}
    assert found["orders"].tags == ("golden",)
    assert (found["logs"].elsewhere, found["parts"].elsewhere) == ("s3://bucket/logs/*.jsonl", "data/*.csv")
    assert (found["own"].elsewhere, found["own"].source) == (None, folder / "data" / "own.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "datasets:\n  a:\n    source: {iceberg: {catalog: prod}}\n",
            "opsloop.yaml:3: datasets.a.source: source: iceberg.table: is None; wanted text",
        ),
        ("datasets:\n  a: {source: 's3://key:secret@b/x.csv'}\n", "opsloop.yaml:2: datasets.a.source: source: "),
        (
            "preparations:\n  a:\n    read: {source: x.csv}\n",
            "opsloop.yaml:2: preparations.a: register: is missing; wanted a mapping",
        ),
        (
            "preparations:\n  a:\n    read: {source: x.csv}\n    clean: [{trm: [q]}]\n    register: {as: x}\n",
            "did you mean 'trim'?",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(folder: Path, text: str, said: str) -> None:
    (folder / "opsloop.yaml").write_text(text)
    with pytest.raises(ProjectInvalid) as caught:
        load(folder)
    assert said in caught.value.sentence
    assert "secret" not in caught.value.sentence


def steps(ready: preparing.Ready) -> Any:
    return ready.declared["clean"]


def test_a_preparation_takes_its_code_along(folder: Path) -> None:
    ready = preparing.ready(client(is_local=True), load(folder).preparations["golden"])
    assert steps(ready)[1] == {"python": {"entry": "prepare.py:clean", "code": "def clean(rows):\n    return rows\n"}}
    assert (ready.declared["read"], ready.upload) == ({"source": "data/own.csv"}, None)


def test_a_platform_elsewhere_gets_the_file_first(folder: Path) -> None:
    ready = preparing.ready(client(is_local=False), load(folder).preparations["golden"])
    assert (ready.declared["read"], ready.upload) == ({"dataset": "golden.raw"}, folder / "data" / "own.csv")


def test_code_that_is_not_there_is_told(folder: Path) -> None:
    (folder / "prepare.py").unlink()
    with pytest.raises(InvalidInput, match=r"preparations\.golden: .*prepare\.py cannot be read"):
        preparing.ready(client(is_local=True), load(folder).preparations["golden"])
