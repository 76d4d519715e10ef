"""A preparation as it is declared: what is wrong is said before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.datasets.preparation.declaration import parse
from opsloop.datasets.preparation.errors import PreparationInvalid
from opsloop.datasets.preparation.steps import registry

READ = {"source": "data/raw.csv"}
REGISTER = {"as": "golden"}


def declared(**parts: Any) -> dict[str, Any]:
    return {"read": READ, "register": REGISTER, **parts}


def test_what_is_declared_is_known() -> None:
    found = parse(
        declared(
            schedule="0 2 * * *",
            clean=[{"trim": ["q"]}, {"filter": "q != ''"}],
            split={"train": 0.8, "test": 0.2, "by": "conversation", "seed": 7},
            register={"as": "golden-{split}", "tags": ["golden"]},
        )
    )
    assert str(found.source) == "data/raw.csv"
    assert [(step.name, step.at) for step in found.clean] == [("trim", "clean[0].trim"), ("filter", "clean[1].filter")]
    assert found.made() == [("golden-test", "test"), ("golden-train", "train")]
    assert (found.tags, found.schedule) == (("golden",), "0 2 * * *")


def test_when_it_runs_does_not_change_what_it_does() -> None:
    assert parse(declared(schedule="0 2 * * *")).digest == parse(declared()).digest
    assert parse(declared(clean=[{"trim": ["q"]}])).digest != parse(declared()).digest


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "preparation: is []; wanted a mapping"),
        ({"register": REGISTER}, "read: is missing"),
        ({"read": READ}, "register: is missing"),
        (declared(cleaning=[]), "cleaning is []; known here: schedule, read, clean, split, register"),
        (declared(read={"source": "a.csv", "dataset": "raw"}), "wanted one of source and dataset"),
        (declared(read={"dataset": "-"}), "read.dataset: is '-'; wanted a dataset"),
        (declared(read={"source": "mysql://x"}), "read.source: address: is 'mysql://x'"),
        (declared(read={"source": {"iceberg": {"catalog": "p"}}}), "read.source: iceberg.table: is None"),
        (declared(schedule="daily"), "schedule: cron: is 'daily'; wanted five cron fields"),
        (declared(clean={"trim": ["q"]}), "clean: is {'trim': ['q']}; wanted a list"),
        (declared(clean=["trim"]), "clean[0]: is 'trim'; wanted one step"),
        (declared(clean=[{"drop_dupes": True}]), "did you mean 'drop_duplicates'?"),
        (declared(clean=[{"trim": []}]), "clean[0].trim: is []; wanted a list of columns"),
        (declared(clean=[{"drop_duplicates": {"columns": ["q"]}}]), "wanted {by: [question]}, or true"),
        (declared(clean=[{"filter": 3}]), "clean[0].filter: is 3; wanted text"),
        (declared(clean=[{"rename": {"q": 1}}]), "wanted old names and new ones"),
        (declared(clean=[{"python": "prepare.clean"}]), "wanted a file and a function in it"),
        (declared(split={"train": 0.8}), "wanted shares of two parts or more that sum to 1"),
        (declared(split={"train": 0.8, "test": 0.3}), "sum to 1"),
        (declared(split={"train": 2, "test": -1}), "split.train: is 2; wanted a share between 0 and 1"),
        (declared(split={"a": 0.5, "b": 0.5}), "wanted a name with {split} in it"),
        (declared(split={"a": 0.5, "b": 0.5, "seed": "x"}), "split.seed: is 'x'; wanted a whole number"),
        (declared(split={"a b": 0.5, "b": 0.5}), "wanted parts named by letters"),
        (declared(register={"as": "a b"}), "wanted up to 80 letters"),
        (declared(register={"as": []}), "wanted a dataset's name, or several"),
        (declared(register={"as": "a", "tags": "golden"}), "register.tags: is 'golden'; wanted a list"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(values: Any, said: str) -> None:
    with pytest.raises(PreparationInvalid) as caught:
        parse(values)
    assert said in caught.value.sentence


def test_every_step_is_known() -> None:
    assert list(registry.known()) == [
        "drop_duplicates", "drop_missing", "filter", "keep", "python", "rename", "sql", "trim"
    ]  # fmt: skip
