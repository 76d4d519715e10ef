"""The pages of models: figures over versions, where a version comes from, names that mean harm or are endless."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opsloop.core.workspace import Workspace
from opsloop.models import bundle, service, transfer
from opsloop.models.signature import Field, FieldType, Output
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser, trained
from tests.integration.console.test_pages import stray_tags

ENDLESS = "a_name_without_any_place_to_break_it" * 9


@pytest.fixture
def models(platform: Platform) -> Platform:
    trained(platform)
    return platform


def another(workspace: Workspace, *, name: str = "flowers", column: str = "", **metrics: float) -> str:
    """A version like the first of `flowers`, with other figures, or an input and an output of another name."""
    with workspace.writing(ADMIN) as uow:
        found = transfer.candidate_in(bundle.of_store(workspace.artifacts, service.get(uow, "flowers@1").digest))
        signature = found.signature
        if column:
            texts = tuple(f"{column}{number}" for number in range(9))
            inputs = (Field(column, FieldType.TEXT, categories=texts), Field("weight", FieldType.NUMBER, -1234.5, 1e7))
            signature = replace(signature, inputs=inputs, output=Output(column, signature.output.task, texts))
        made = replace(found, metrics={**found.metrics, **metrics}, signature=signature)
        return service.register(uow, name, made).ref


def test_figures_stand_beside_those_of_the_version_before_and_over_all(models: Platform) -> None:
    another(models.workspace, accuracy=0.25)
    ref = another(models.workspace, accuracy=0.5)
    with browser(models.workspace) as client:
        shown = client.get(f"/models/{ref}").text
        first = client.get("/models/flowers@1").text
    assert "Since flowers@3" in shown
    assert '<td data-label="Since flowers@3" class="number">+0.25</td>' in shown
    assert "flowers@3 0.25, flowers@4 0.5" in shown
    assert "Since" not in first


def test_a_version_that_was_brought_in_says_so(models: Platform) -> None:
    ref = another(models.workspace)
    with browser(models.workspace) as client:
        shown = client.get(f"/models/{ref}").text
    assert "brought in, not trained here" in shown
    assert "data not known" in shown
    assert "serves nowhere" in shown


def test_a_list_names_the_champion_where_the_newest_is_another(models: Platform) -> None:
    with models.workspace.writing(ADMIN) as uow:
        service.set_alias(uow, "flowers@1", service.CHAMPION)
    with browser(models.workspace) as client:
        shown = client.get("/models").text
    assert 'champion is <a href="/models/flowers%401">flowers@1</a>' in shown


@pytest.mark.parametrize("column", [HOSTILE, ENDLESS])
def test_columns_with_any_name_are_text(models: Platform, column: str) -> None:
    ref = another(models.workspace, name="odd", column=column)
    with browser(models.workspace) as client:
        for address in ("/models", f"/models/{ref}", f"/models/compare?base=flowers@1&head={ref}"):
            shown = client.get(address)
            assert shown.status_code == 200, address
            assert stray_tags(shown.text) == [], address


def test_ranges_are_written_with_thousands_apart(models: Platform) -> None:
    ref = another(models.workspace, name="odd", column="size")
    with browser(models.workspace) as client:
        assert "−1,234.5 to 10,000,000" in client.get(f"/models/{ref}").text  # noqa: RUF001
