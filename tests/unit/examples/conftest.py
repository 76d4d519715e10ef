"""The Python of an example's flow, loaded as a run loads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from opsloop.flows.shim_finder import install_shim
from opsloop.flows.user_code import UserModules, install_finder

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def flow_code() -> Iterator[Callable[[str, str], ModuleType]]:
    """Gives a file of a flow as a module: `flow_code("report-generation/flows/report", "compute.py")`."""
    install_shim()
    install_finder()
    loaded: dict[str, UserModules] = {}

    def load(flow: str, file: str) -> ModuleType:
        return loaded.setdefault(flow, UserModules(EXAMPLES / flow)).load(file)

    yield load
    for each in loaded.values():
        each.close()
