"""Every pipeline in the docs can be declared as it stands."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from opsloop.training.pipeline import parse
from tests.docs.examples import blocks
from tests.docs.pages import PAGES

OPERATION = ("schedule", "window", "notify", "webhook", "model")


def declared() -> list[Any]:
    found = []
    for page in PAGES:
        for block in blocks(page):
            if block.language != "yaml" or not block.text.startswith(("pipelines:", "steps:")):
                continue
            values = YAML(typ="safe").load(block.text)
            pipelines = values.get("pipelines", {"p": {"target": "y", **values}})
            place = f"{page.name}:{block.line}"
            found += [pytest.param(name, pipeline, id=f"{place}:{name}") for name, pipeline in pipelines.items()]
    return found


@pytest.mark.parametrize(("name", "values"), declared())
def test_a_pipeline_in_the_docs_is_one(name: str, values: dict[str, Any]) -> None:
    learned = {key: value for key, value in values.items() if key not in OPERATION}
    if "build" not in learned and "train" not in learned:
        learned.setdefault("steps", ["ridge"])
    assert parse(learned, f"pipelines.{name}").target == learned["target"]
