"""The shim: users' imports of promptflow resolve where it is not installed, and never where it is."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opsloop.flows.loaded import load
from opsloop.flows.shim_finder import SHIM, install_shim

WriteFlow = Callable[..., Path]


def test_an_installed_promptflow_is_never_shadowed(tmp_path: Path) -> None:
    (tmp_path / "promptflow").mkdir()
    (tmp_path / "promptflow" / "__init__.py").write_text("REAL = True")
    code = (
        "import sys; from opsloop.flows.shim_finder import install_shim; install_shim(); "
        f"sys.path.append({str(tmp_path)!r}); import promptflow; print(promptflow.REAL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_installing_twice_adds_one_finder() -> None:
    install_shim()
    count = len(sys.meta_path)
    install_shim()
    assert len(sys.meta_path) == count


def test_the_shim_lies_in_a_folder_that_is_on_no_path() -> None:
    assert str(SHIM) not in sys.path


@pytest.mark.parametrize("decorator", ["@tool", "@tool()", "@tool(name='n', description='d')"])
@pytest.mark.parametrize("module", ["promptflow", "promptflow.core"])
def test_every_way_to_mark_a_tool_works(write_flow: WriteFlow, decorator: str, module: str) -> None:
    dag = """
        outputs: {y: {type: string, reference: "${work.output}"}}
        nodes: [{name: work, type: python, source: {path: work.py}}]
    """
    code = f"from {module} import tool\nfrom promptflow.tracing import trace\n{decorator}\n@trace\ndef w(): return 'ok'"
    assert load(write_flow(dag, **{"work.py": code})).run_sync({}).outputs == {"y": "ok"}


def test_tools_take_connections_by_name_and_do_not_print_secrets(write_flow: WriteFlow) -> None:
    install_shim()
    from promptflow.connections import CustomConnection

    dag = """
        outputs: {y: {type: string, reference: "${work.output}"}}
        nodes: [{name: work, type: python, source: {path: work.py}, inputs: {conn: mine}}]
    """
    code = """
        from promptflow.core import tool
        from promptflow.connections import CustomConnection
        @tool
        def work(conn: CustomConnection):
            return f"{conn.url} {conn['key']} {conn}"
    """
    connection = CustomConnection(secrets={"key": "s3cret"}, configs={"url": "http://x"})
    flow = load(write_flow(dag, **{"work.py": code}), connections={"mine": connection})
    assert flow.run_sync({}).outputs == {"y": "http://x s3cret CustomConnection(url='http://x', key=***)"}
    with pytest.raises(Exception, match=r"a known connection \(none\)"):
        load(write_flow(dag, folder="other", **{"work.py": code}))
