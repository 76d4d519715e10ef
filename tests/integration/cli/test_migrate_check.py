"""`opsloop migrate check`: what of a tree of flows runs here, told without running any of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.in_process import run

DAG = """
inputs: {text: {type: string}}
outputs: {said: {type: string, reference: "${say.output}"}}
nodes:
- {name: say, type: python, source: {path: say.py}, inputs: {text: "${inputs.text}"}}
"""
VARIANTS = """
outputs: {said: {type: string, reference: "${say.output}"}}
nodes: [{name: say, use_variants: true}]
node_variants:
  say:
    default_variant_id: a
    variants:
      a: {node: {type: python, source: {path: say.py}}}
      b: {node: {type: python, source: {path: other.py}}}
"""
LLM = """
inputs: {text: {type: string}}
outputs: {said: {type: string, reference: "${ask.output}"}}
nodes:
- {name: ask, type: llm, source: {path: ask.jinja2}, connection: mine, api: chat, inputs: {text: "${inputs.text}"}}
- {name: find, type: python, source: {path: find.py}, inputs: {c: search, text: "${ask.output}"}}
"""
SAY = "from promptflow.core import tool\n{imports}\n\n@tool\ndef say(text: str):\n    return text\n"
PROMPTY = (
    "---\nname: ask\nmodel: {api: chat, configuration: {type: azure_openai, connection: mine}}\n"
    "inputs: {q: {type: string}}\n---\nuser:\n{{q}}\n"
)


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPSLOOP_CONNECTIONS_HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def write(**files: str) -> None:
    for name, text in files.items():
        place = Path(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def checked(path: str = ".", code: int = 0) -> list[dict[str, Any]]:
    said = run("migrate", "check", path, "--json")
    assert said.code == code, said.err
    found: list[dict[str, Any]] = said.answer["flows"]
    return found


def test_a_flow_that_has_all_it_needs_runs() -> None:
    write(**{"a/flow.dag.yaml": DAG, "a/say.py": SAY.format(imports="import json, helper"), "a/helper.py": "import re"})

    (found,) = checked()

    assert (found["path"], found["verdict"], found["packages"], found["reasons"]) == ("a/flow.dag.yaml", "runs", [], [])
    said = run("migrate", "check", ".")
    assert said.out.splitlines()[0].split() == ["✓", "runs", "a/flow.dag.yaml", "dag"]
    assert said.err == "the flow runs as it is\n"


def test_none_of_the_code_is_run() -> None:
    bomb = "open('run', 'w').write('it ran')\nraise SystemExit('it ran')\n"
    write(**{"a/flow.dag.yaml": DAG, "a/say.py": bomb, "b/flow.flex.yaml": "entry: code:main\n",
             "b/code.py": bomb + "def main(x): pass\n"})  # fmt: skip

    assert [each["verdict"] for each in checked()] == ["runs", "runs"]
    assert not list(Path().rglob("run"))


def test_packages_are_named_as_the_requirements_name_them() -> None:
    imports = "import absent_of_a_test.part, bs4_of_no_one\nfrom helper import x"
    guarded = "try:\n    import guarded_one\nexcept ImportError:\n    pass\nif TYPE_CHECKING:\n    import typed_one\n"
    write(**{
        "a/flow.dag.yaml": DAG,
        "a/say.py": SAY.format(imports=imports),
        "a/helper.py": f"{guarded}from azure.no_such.thing import z\n",
        "a/requirements.txt": "promptflow[azure]\nAbsent-Of-A-Test>=1\nlisted-only==2 # why\n-r more.txt\n",
    })  # fmt: skip

    (found,) = checked(code=6)

    assert {each["module"]: each["package"] for each in found["packages"]} == {
        "absent_of_a_test.part": "Absent-Of-A-Test",
        "bs4_of_no_one": None,
        "azure.no_such.thing": None,
    }
    assert "listed-only" in found["notes"][0]
    said = run("migrate", "check", ".")
    assert "pip install Absent-Of-A-Test  (say.py imports absent_of_a_test.part)" in said.out
    assert "the package that brings bs4_of_no_one, which no requirements name" in said.out
    assert said.err.endswith("the flow does not run yet, 1 needs a package or a connection\n")


def test_connections_are_named_with_their_types_and_nodes() -> None:
    find = "from promptflow.core import tool\nfrom promptflow.connections import CustomConnection\n\n\n@tool\n"
    find += "def find(c: CustomConnection, text: str):\n    return text\n"
    write(**{"a/flow.dag.yaml": LLM, "a/ask.jinja2": "user:\n{{text}}", "a/find.py": find, "b/ask.prompty": PROMPTY})

    dag, prompty = checked(code=6)

    named = {each["name"]: (each["type"], each["nodes"]) for each in dag["connections"]}
    assert named == {"mine": ("azure_open_ai or open_ai", ["ask"]), "search": ("custom", ["find"])}
    assert [(each["name"], each["type"]) for each in prompty["connections"]] == [("mine", "azure_open_ai")]
    said = run("migrate", "check", ".").out
    assert "opsloop connection create --file FILE --name mine    # of type azure_open_ai" in said

    write(**{"connections.yaml": "mine: {type: open_ai, api_key: k}\nsearch: {configs: {a: b}}\n"})
    assert [each["verdict"] for each in checked()] == ["runs", "runs"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"flow.dag.yaml": DAG}, "node say wants say.py, which is not there"),
        ({"flow.dag.yaml": DAG + "additional_includes: [../no]\n", "say.py": "x = 1"}, "has ../no, which is not there"),
        ({"flow.dag.yaml": DAG.replace("python", "typescript"), "say.py": "x = 1"}, "is of type typescript; known are"),
        ({"flow.dag.yaml": DAG.replace("type: python", "type: csharp"), "say.py": "x = 1"}, "written in C#"),
        ({"flow.flex.yaml": "language: csharp\nentry: (Basic)Basic.Run\n"}, "written in C#"),
        ({"flow.dag.yaml": DAG, "say.py": "from promptflow.azure import PFClient"}, "in an Azure workspace only"),
        ({"flow.dag.yaml": DAG, "say.py": "def ("}, "say.py is no Python of this version"),
        ({"flow.dag.yaml": DAG.replace("type: string}}", "type: string, default: 'azureml:x:1'}}", 1),
          "say.py": "x = 1"}, "reads data that is in Azure only"),
        ({"flow.dag.yaml": DAG, "say.py": "import promptflow.executor"},
         "imports promptflow.executor, which has no counterpart here"),
        ({"flow.dag.yaml": DAG, "say.py": "from promptflow.core import tool, Nothing"},
         "imports Nothing of promptflow.core, which has no counterpart here"),
        ({"flow.dag.yaml": DAG.replace("{path: say.py}", "{type: package, tool: promptflow.tools.x.y}")},
         "node say uses promptflow.tools.x.y, which has no counterpart here"),
        ({"flow.dag.yaml": VARIANTS, "say.py": "x = 1"}, "node say wants other.py, which is not there"),
        ({"flow.flex.yaml": "entry: gone_of_a_test:f\n"}, "wants gone_of_a_test.py, which is not there"),
        ({"flow.dag.yaml": "nodes: 3\n"}, "nodes is 3; wanted a list"),
        ({"x.prompty": "no head"}, "wanted a YAML head"),
    ],
)  # fmt: skip
def test_what_cannot_run_says_why(files: dict[str, str], reason: str) -> None:
    write(**files)

    (found,) = checked(code=6)

    assert found["verdict"] == "cannot"
    assert reason in found["reasons"][0]


def test_tools_of_packages_that_are_not_installed_are_told() -> None:
    dag = DAG.replace("source: {path: say.py}", "source: {type: package, tool: no_such_tools.x.say}")
    write(**{"flow.dag.yaml": dag})

    (found,) = checked("flow.dag.yaml", code=6)

    assert found["packages"] == [{"package": None, "module": "no_such_tools.x", "where": ["node say"]}]


def test_what_flows_use_of_promptflow_is_there_and_a_flow_is_found_by_any_name() -> None:
    imports = (
        "from promptflow.core import log_metric, Prompty\nfrom promptflow.entities import Run, InputSetting\n"
        "from promptflow import PFClient, tools\nfrom promptflow.tools.common import *\n"
    )
    embedding = "{name: e, type: python, source: {type: package, tool: promptflow.tools.embedding.embedding}}"
    write(**{
        "a/flow.dag.yaml": f"{DAG}- {embedding}\n",
        "a/say.py": SAY.format(imports=imports),
        "b/mine.flex.yaml": "entry: mine:f\n",
        "b/mine.py": "def f(x): return x",
    })  # fmt: skip

    assert [(each["path"], each["verdict"]) for each in checked()] == [
        ("a/flow.dag.yaml", "runs"),
        ("b/mine.flex.yaml", "runs"),
    ]


def test_environments_and_caches_are_no_part_of_a_tree() -> None:
    write(**{"a/flow.dag.yaml": DAG, "a/say.py": SAY.format(imports=""), "venv/lib/flow.dag.yaml": DAG,
             ".hidden/flow.dag.yaml": DAG, "x/site-packages/y/flow.dag.yaml": DAG})  # fmt: skip

    assert [each["path"] for each in checked()] == ["a/flow.dag.yaml"]
    write(**{"empty/readme.md": ""})
    assert run("migrate", "check", "empty").code == 2
