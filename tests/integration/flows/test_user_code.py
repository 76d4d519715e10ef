"""Users' modules: several versions of a flow in one process, none of which meets another."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opsloop.flows.loaded import load
from opsloop.flows.user_code import PREFIX

WriteFlow = Callable[..., Path]

DAG = """
    outputs: {y: {type: string, reference: "${work.output}"}}
    nodes: [{name: work, type: python, source: {path: tools/work.py}}]
"""
WORK = """
    from __future__ import annotations
    import dataclasses
    import helper
    import pkg.deep as deep
    from pkg import near
    from promptflow.core import tool
    @dataclasses.dataclass
    class Said:
        text: str
    @tool
    def work():
        import late
        return Said(helper.NAME + deep.NAME + near.NAME + late.NAME).text
"""


def files(name: str) -> dict[str, str]:
    return {
        "tools/work.py": WORK,
        "helper.py": f"NAME = '{name}1'",
        "pkg/__init__.py": "",
        "pkg/deep.py": "from .near import NAME as near\nfrom . import near as n\nNAME = near + n.NAME",
        "pkg/near.py": f"NAME = '{name}2'",
        "late.py": f"import json\nNAME = json.dumps('{name}3')",
    }


def test_two_versions_of_a_flow_use_their_own_modules(write_flow: WriteFlow) -> None:
    one = load(write_flow(DAG, folder="one", **files("a")))
    two = load(write_flow(DAG, folder="two", **files("b")))
    assert one.run_sync({}).outputs == {"y": 'a1a2a2a2"a3"'}
    assert two.run_sync({}).outputs == {"y": 'b1b2b2b2"b3"'}
    assert not {"helper", "pkg", "late", "work"} & set(sys.modules)


def test_a_changed_flow_is_loaded_anew_and_an_unchanged_one_is_not(write_flow: WriteFlow) -> None:
    path = write_flow(DAG, **files("a"))
    first = load(path)
    assert load(path) is first
    (path / "helper.py").write_text("NAME = 'other'")
    assert load(path).run_sync({}).outputs["y"].startswith("other")
    assert first.run_sync({}).outputs["y"].startswith("a1")


def test_a_module_beside_the_flow_comes_before_an_installed_one(write_flow: WriteFlow) -> None:
    found = {
        **files("a"),
        "tools/work.py": "from promptflow.core import tool\nimport click\n@tool\ndef w(): return click.X",
    }
    assert load(write_flow(DAG, **{**found, "click.py": "X = 'mine'"})).run_sync({}).outputs == {"y": "mine"}
    import click

    assert hasattr(click, "command")


def test_a_folder_of_data_does_not_hide_an_installed_module(write_flow: WriteFlow) -> None:
    code = "from promptflow.core import tool\nimport json\n@tool\ndef w(): return json.dumps(1)"
    path = write_flow(DAG, **{"tools/work.py": code, "json/data.txt": "x"})
    assert load(path).run_sync({}).outputs == {"y": "1"}


def test_loading_leaves_nothing_in_the_flows_folder(write_flow: WriteFlow) -> None:
    path = write_flow(DAG, **files("a"))
    load(path).run_sync({})
    assert not list(path.rglob("__pycache__"))


def test_modules_of_a_flow_that_is_gone_are_forgotten(write_flow: WriteFlow) -> None:
    flow = load(write_flow(DAG, **files("a")), connections={"x": 1})
    package = next(name for name in reversed(sys.modules) if name.startswith(PREFIX)).partition(".")[0]
    assert package in sys.modules
    del flow
    assert package not in sys.modules


def test_a_module_that_fails_is_not_left_half_loaded(write_flow: WriteFlow) -> None:
    before = {name for name in sys.modules if name.startswith(PREFIX)}
    with pytest.raises(Exception, match="boom"):
        load(write_flow(DAG, **{"tools/work.py": "raise RuntimeError('boom')"}))
    assert {name for name in sys.modules if name.startswith(PREFIX)} <= before


def test_files_of_additional_includes_lie_beside_the_flows_own(write_flow: WriteFlow) -> None:
    write_flow("", folder="shared", **{"helper.py": "NAME = 'shared'"})
    dag = f"additional_includes: [../shared/helper.py]\n{DAG.strip()}".replace("\n    ", "\n")
    code = "from promptflow.core import tool\nfrom helper import NAME\n@tool\ndef w(): return NAME"
    assert load(write_flow(dag, **{"tools/work.py": code})).run_sync({}).outputs == {"y": "shared"}
