"""The pinned versions cover what the project asks for, and can be installed from any registry."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {"up.txt": ("data", "evaluation", "rag"), "dev.txt": ("data", "evaluation", "rag", "dev")}


def pins(name: str) -> list[Requirement]:
    return [Requirement(line) for line in (ROOT / "requirements" / name).read_text().splitlines()]


@pytest.mark.parametrize("name", EXTRAS)
def test_every_requirement_is_pinned_to_a_version_that_meets_it(name: str) -> None:
    wanted = [*PROJECT["dependencies"], *(line for extra in EXTRAS[name] for line in _extra(extra))]
    pinned = {canonicalize_name(pin.name): pin.specifier for pin in pins(name)}
    for requirement in map(Requirement, wanted):
        if requirement.name == PROJECT["name"]:
            continue
        version = str(pinned.get(canonicalize_name(requirement.name), "no version: run `make pins`")).removeprefix("==")
        assert requirement.specifier.contains(version), f"{name} pins {requirement.name} to {version}"


def _extra(name: str) -> list[str]:
    found: list[str] = PROJECT["optional-dependencies"][name]
    return found


@pytest.mark.parametrize("name", EXTRAS)
def test_a_pin_is_one_version_and_names_no_registry(name: str) -> None:
    for pin in pins(name):
        assert pin.url is None
        assert [clause.operator for clause in pin.specifier] == ["=="], str(pin)


def test_what_runs_is_what_is_tested() -> None:
    tested = {str(pin) for pin in pins("dev.txt")}
    assert {str(pin) for pin in pins("up.txt")} <= tested
