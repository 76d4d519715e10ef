"""Every setting says what it means, and stands in the reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs._reference import settings
from opsloop.core.settings import CoreSettings, Section

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
UNITS = ("_s ", "_ms ", "_bytes ", "count", "number of", "How many", "from 0 to 1", "as a number")
EVERY = [(model, name) for model in settings.sections() for name in model.model_fields]


def test_the_settings_of_the_core_are_found_first() -> None:
    assert settings.sections()[0] is CoreSettings


@pytest.mark.parametrize(("model", "name"), EVERY, ids=[f"{model.__name__}.{name}" for model, name in EVERY])
def test_a_setting_has_a_default_and_a_description_and_stands_in_the_reference(model: type[Section], name: str) -> None:
    field = model.model_fields[name]
    assert not field.is_required(), "a setting has a default that works on a laptop"
    assert (field.description or "").endswith("."), "a description is a sentence"
    assert settings.variable(model, name) in PAGE.read_text(), "run `make docs`"


@pytest.mark.parametrize(("model", "name"), EVERY, ids=[f"{model.__name__}.{name}" for model, name in EVERY])
def test_a_number_names_its_unit(model: type[Section], name: str) -> None:
    field = model.model_fields[name]
    if field.annotation in (float, int) and name != "port":
        described = f"{name} {field.description}"
        assert any(unit in described for unit in UNITS), f"{name} is a number: say of what"


def test_a_setting_belongs_to_one_model() -> None:
    names = [settings.variable(model, name) for model, name in EVERY]
    assert len(names) == len(set(names))
