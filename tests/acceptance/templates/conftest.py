"""Templates as their users have them: made with `opsloop init`, applied."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.acceptance.in_process import run
from tests.acceptance.templates.made import Made


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A project from the template of that name, applied; one for all tests."""

    @cache
    def make(template: str) -> Path:
        folder = tmp_path_factory.mktemp("templates") / template
        said = run("init", str(folder), "--template", template, "--json")
        assert said.code == 0, said.err
        done = Made(folder)("apply")
        assert done.code == 0, done.err
        return folder

    return make


@pytest.fixture
def made(applied: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Made]:
    """A copy of such a project, for a test to do with what it likes."""

    def copy(template: str) -> Made:
        return Made(shutil.copytree(applied(template), tmp_path / template))

    return copy
