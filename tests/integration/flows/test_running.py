"""Running flows: what their users see."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.context import current_workspace
from opsloop.core.errors import Kind
from opsloop.core.workspace import Workspace
from opsloop.flows.errors import FlowInvalid, InputInvalid, NodeFailed, NodeTimedOut, NodeUnavailable
from opsloop.flows.executor import Limits
from opsloop.flows.loaded import load
from opsloop.flows.results import FlowResult, NodeStatus, TextDelta

WriteFlow = Callable[..., Path]
TOOL = "from promptflow.core import tool\n"


def one_node(type: str = "string") -> str:
    return f"""
        inputs: {{x: {{type: {type}}}}}
        outputs: {{y: {{type: string, reference: "${{work.output}}", is_chat_output: true}}}}
        nodes: [{{name: work, type: python, source: {{type: code, path: work.py}}, inputs: {{x: "${{inputs.x}}"}}}}]
    """


def run(path: Path, inputs: dict[str, Any], **options: Any) -> FlowResult:
    return load(path, **options).run_sync(inputs)


def events(path: Path, inputs: dict[str, Any], **options: Any) -> list[TextDelta | FlowResult]:
    async def gather() -> list[TextDelta | FlowResult]:
        return [event async for event in load(path, **options).stream(inputs)]

    return asyncio.run(gather())


def texts(found: list[TextDelta | FlowResult]) -> list[str]:
    return [event.text for event in found if isinstance(event, TextDelta)]


@pytest.mark.parametrize(
    "code",
    [
        "def work(x): return x + '!'",
        "async def work(x): return x + '!'",
        "def work(x):\n    yield x\n    yield '!'",
        "async def work(x):\n    yield x\n    yield '!'",
        "def work(x): return (c for c in [x, '!'])",
        "async def work(x: str, *, more: str = '!'): return x + more",
    ],
)
def test_every_kind_of_function_gives_its_value(write_flow: WriteFlow, code: str) -> None:
    path = write_flow(one_node(), **{"work.py": f"{TOOL}@tool\n{code}\n"})
    result = run(path, {"x": "hi"})
    assert result.outputs == {"y": "hi!"}
    assert result.node("work").status is NodeStatus.COMPLETED
    assert "".join(texts(events(path, {"x": "hi"}))) == "hi!"


@pytest.mark.parametrize("prefix", ["", "async "])
def test_generators_are_streamed_piece_by_piece(write_flow: WriteFlow, prefix: str) -> None:
    code = f"{TOOL}@tool\n{prefix}def work(x):\n    for c in x:\n        yield c\n"
    found = events(write_flow(one_node(), **{"work.py": code}), {"x": "abc"})
    assert texts(found) == ["a", "b", "c"]
    assert isinstance(found[-1], FlowResult)
    assert found[-1].outputs == {"y": "abc"}


def test_an_output_that_is_made_at_once_is_one_piece(write_flow: WriteFlow) -> None:
    path = write_flow(one_node(), **{"work.py": f"{TOOL}@tool\ndef work(x): return x\n"})
    assert texts(events(path, {"x": "whole"})) == ["whole"]


def test_closing_a_stream_cancels_the_run(write_flow: WriteFlow) -> None:
    code = f"{TOOL}ended = []\n@tool\nasync def work(x):\n    try:\n        while True:\n            yield 'z'\n"
    code += "    finally:\n        x.append('ended')\n"
    path = write_flow(one_node("list"), **{"work.py": code})
    ended: list[str] = []

    async def take_two() -> None:
        stream = load(path).stream({"x": ended})
        async for _ in stream:
            break
        await stream.aclose()

    asyncio.run(take_two())
    assert ended == ["ended"]


DIAMOND = """
    inputs: {x: {type: list}}
    outputs: {y: {type: list, reference: "${join.output}"}}
    nodes:
    - {name: join, type: python, source: {path: join.py}, inputs: {a: "${left.output}", b: "${right.output}"}}
    - {name: left, type: python, source: {path: meet.py}, inputs: {barrier: "${inputs.x[0]}", name: left}}
    - {name: right, type: python, source: {path: meet.py}, inputs: {barrier: "${inputs.x[0]}", name: right}}
"""


def test_nodes_that_wait_for_nothing_run_side_by_side(write_flow: WriteFlow) -> None:
    meet = f"{TOOL}@tool\ndef meet(barrier, name):\n    barrier.wait(timeout=60)\n    return name\n"
    join = f"{TOOL}@tool\ndef join(a, b): return [a, b]\n"
    result = run(write_flow(DIAMOND, **{"meet.py": meet, "join.py": join}), {"x": [threading.Barrier(2)]})
    assert result.outputs == {"y": ["left", "right"]}
    assert [node.node for node in result.nodes] == ["left", "right", "join"]


def test_a_failing_node_cancels_the_others_and_keeps_the_traces(write_flow: WriteFlow) -> None:
    dag = """
        nodes:
        - {name: slow, type: python, source: {path: slow.py}}
        - {name: bad, type: python, source: {path: bad.py}}
    """
    slow = f"import asyncio\n{TOOL}@tool\nasync def slow(): await asyncio.Event().wait()\n"
    bad = f"{TOOL}@tool\nasync def bad():\n    return 1 / 0\n"
    with pytest.raises(NodeFailed) as caught:
        run(write_flow(dag, **{"slow.py": slow, "bad.py": bad}), {})
    assert caught.value.sentence == (
        "node 'bad' of flow 'demo' failed: ZeroDivisionError: division by zero (bad.py, line 4)"
    )
    assert caught.value.result is not None
    assert {each.node: each.status for each in caught.value.result.nodes} == {
        "slow": NodeStatus.CANCELLED,
        "bad": NodeStatus.FAILED,
    }


RAISED = ["SystemExit(3)", "StopIteration()", "MemoryError()", "Odd()"]


# On the loop, KeyboardInterrupt is the Ctrl-C of whoever runs the process; in a thread it can only be the tool's own.
@pytest.mark.parametrize(
    ("prefix", "error"),
    [("", "KeyboardInterrupt()"), *((prefix, error) for prefix in ("", "async ") for error in RAISED)],
)
def test_whatever_a_node_raises_is_a_sentence(write_flow: WriteFlow, prefix: str, error: str) -> None:
    code = f"{TOOL}class Odd(Exception): pass\n@tool\n{prefix}def work(x): raise {error}\n"
    with pytest.raises(NodeFailed, match="node 'work' of flow 'demo' failed"):
        run(write_flow(one_node(), **{"work.py": code}), {"x": "a"})


def test_a_huge_error_text_is_cut(write_flow: WriteFlow) -> None:
    code = f"{TOOL}@tool\ndef work(x): raise ValueError('e' * 10_000_000)\n"
    with pytest.raises(NodeFailed) as caught:
        run(write_flow(one_node(), **{"work.py": code}), {"x": "a"})
    assert len(caught.value.sentence) < 1_000


def test_ten_megabytes_pass_and_leave_a_short_trace(write_flow: WriteFlow) -> None:
    path = write_flow(one_node(), **{"work.py": f"{TOOL}@tool\ndef work(x): return x\n"})
    result = run(path, {"x": "y" * 10_000_000})
    assert len(result.outputs["y"]) == 10_000_000
    assert len(result.node("work").output_excerpt) == 240


def test_a_synchronous_node_that_never_returns_is_given_up(write_flow: WriteFlow) -> None:
    dag = """
        inputs: {x: {type: list}}
        outputs: {y: {type: string, reference: "${stuck.output}"}}
        nodes:
        - {name: first, type: python, source: {path: first.py}, inputs: {x: "${inputs.x}"}}
        - {name: stuck, type: python, source: {path: stuck.py}, inputs: {x: "${first.output}"}}
        - {name: after, type: python, source: {path: first.py}, inputs: {x: "${stuck.output}"}}
    """
    first = f"{TOOL}@tool\ndef first(x): return x\n"
    stuck = f"{TOOL}@tool\ndef stuck(x):\n    x[0].wait()\n    return x\n"
    release = threading.Event()
    path = write_flow(dag, **{"first.py": first, "stuck.py": stuck})
    with pytest.raises(NodeTimedOut, match=r"node 'stuck' of flow 'demo' did not end within 0\.05 s") as caught:
        run(path, {"x": [release]}, limits=Limits(node_timeout_s=0.05))
    release.set()
    assert caught.value.kind is Kind.TIMED_OUT
    assert caught.value.result is not None
    assert [(each.node, each.status) for each in caught.value.result.nodes] == [
        ("first", NodeStatus.COMPLETED),
        ("stuck", NodeStatus.FAILED),
    ]


def test_an_asynchronous_node_that_never_returns_is_cancelled(write_flow: WriteFlow) -> None:
    code = f"import asyncio\n{TOOL}@tool\nasync def work(x): await asyncio.Event().wait()\n"
    with pytest.raises(NodeTimedOut):
        run(write_flow(one_node(), **{"work.py": code}), {"x": "a"}, limits=Limits(node_timeout_s=0.02))


def test_a_timeout_that_a_node_raises_itself_is_its_failure(write_flow: WriteFlow) -> None:
    code = f"{TOOL}@tool\nasync def work(x): raise TimeoutError('their server')\n"
    with pytest.raises(NodeFailed, match="their server"):
        run(write_flow(one_node(), **{"work.py": code}), {"x": "a"})


def test_a_missing_input_is_named_with_what_came_instead(write_flow: WriteFlow) -> None:
    path = write_flow(one_node(), **{"work.py": f"{TOOL}@tool\ndef work(x): return x\n"})
    with pytest.raises(InputInvalid, match=r"inputs\.x is missing.*got 'z'"):
        run(path, {"z": 1})


def test_a_wrong_type_is_named_with_the_value(write_flow: WriteFlow) -> None:
    path = write_flow(one_node("int"), **{"work.py": f"{TOOL}@tool\ndef work(x): return x\n"})
    with pytest.raises(InputInvalid, match=r"inputs\.x: is 'seven'; wanted a whole number"):
        run(path, {"x": "seven"})


def test_a_part_that_an_output_does_not_have_is_named(write_flow: WriteFlow) -> None:
    dag = one_node().replace("${work.output}", "${work.output.answr}")
    path = write_flow(dag, **{"work.py": f"{TOOL}@tool\ndef work(x): return {{'answer': x}}\n"})
    with pytest.raises(NodeFailed, match="did you mean 'answer'"):
        run(path, {"x": "a"})


ROUTED = """
    inputs: {kind: {type: string}}
    outputs:
      y: {type: string, reference: "${join.output}"}
      skipped: {type: string, reference: "${after_a.output.text}"}
    nodes:
    - {name: a, type: python, source: {path: say.py}, inputs: {x: a}, activate: {when: "${inputs.kind}", is: a}}
    - {name: b, type: python, source: {path: say.py}, inputs: {x: b}, activate: {when: "${inputs.kind}", is: b}}
    - {name: after_a, type: python, source: {path: say.py}, inputs: {x: "${a.output}"}}
    - {name: on_a, type: python, source: {path: say.py}, inputs: {x: z}, activate: {when: "${a.output}", is: a}}
    - {name: join, type: python, source: {path: join.py}, inputs: {a: "${after_a.output}", b: "${b.output}"}}
"""


def test_a_node_whose_condition_fails_is_bypassed_and_gives_none(write_flow: WriteFlow) -> None:
    say = f"{TOOL}@tool\ndef say(x): return x\n"
    join = f"{TOOL}@tool\ndef join(a, b): return f'{{a}}-{{b}}'\n"
    result = run(write_flow(ROUTED, **{"say.py": say, "join.py": join}), {"kind": "b"})
    assert result.outputs == {"y": "None-b", "skipped": None}
    assert {each.node: each.status.value for each in result.nodes} == {
        "a": "bypassed",
        "b": "completed",
        "after_a": "bypassed",
        "on_a": "bypassed",
        "join": "completed",
    }


def test_literals_become_what_a_tool_asks_for(write_flow: WriteFlow) -> None:
    dag = """
        outputs: {y: {type: object, reference: "${work.output}"}}
        nodes: [{name: work, type: python, source: {path: work.py}, inputs: {n: "3", f: "0.5", on: "true", l: "[1]"}}]
    """
    code = f"{TOOL}@tool\ndef work(n: int, f: float, on: bool, l: list): return {{'got': [n, f, on, l]}}\n"
    assert run(write_flow(dag, **{"work.py": code}), {}).outputs["y"] == {"got": [3, 0.5, True, [1]]}


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("def work(y): return y", r"is 'x'; wanted parameters of work\(\) \(y\)"),
        ("def work(x, z): return x", r"inputs.z is None; wanted a value for parameter 'z'"),
        ("def work(x) return x", "SyntaxError in line 3"),
        ("import not_there_at_all\ndef work(x): return x", "No module named 'not_there_at_all'"),
        ("1 / 0", "ZeroDivisionError"),
        ("import sys; sys.exit(1)", "SystemExit"),
        ("def work(x): return x\n@tool\ndef other(x): return x", r"one function marked @tool \(found work, other\)"),
    ],
)
def test_a_tool_that_does_not_fit_is_named_when_loading(write_flow: WriteFlow, code: str, sentence: str) -> None:
    mark = "@tool\n" if "def work" in code and "import not" not in code else ""
    with pytest.raises(FlowInvalid, match=f"^flow.dag.yaml: node work.*{sentence}"):
        load(write_flow(one_node(), **{"work.py": f"{TOOL}{mark}{code}\n"}))


def test_a_type_of_node_that_is_not_known_lists_those_that_are(write_flow: WriteFlow) -> None:
    with pytest.raises(FlowInvalid, match=r"supported type \(custom_llm, llm, prompt, python\); did you mean 'python'"):
        load(write_flow(one_node().replace("type: python", "type: pyhton"), **{"work.py": TOOL}))


@pytest.mark.parametrize("path", ["../outside.py", "/etc/passwd", "not_there.py", "work.txt"])
def test_a_source_outside_the_folder_or_missing_is_refused(write_flow: WriteFlow, path: str) -> None:
    files = {"work.py": TOOL, "work.txt": "x", "../outside.py": f"{TOOL}@tool\ndef f(x): return x"}
    with pytest.raises(FlowInvalid, match=r"node work\.source\.path"):
        load(write_flow(one_node().replace("work.py", path), **files))


def test_a_cycle_is_refused_by_name(write_flow: WriteFlow) -> None:
    dag = """
        nodes:
        - {name: a, type: python, source: {path: a.py}, inputs: {x: "${b.output}"}}
        - {name: b, type: python, source: {path: a.py}, inputs: {x: "${a.output}"}}
    """
    with pytest.raises(FlowInvalid, match="cycle"):
        load(write_flow(dag, **{"a.py": TOOL}))


def test_a_class_can_be_a_tool(write_flow: WriteFlow) -> None:
    dag = one_node().replace('inputs: {x: "${inputs.x}"}', 'inputs: {x: "${inputs.x}", greeting: Hello}')
    code = """
        from promptflow.core import ToolProvider, tool
        class Greeter(ToolProvider):
            def __init__(self, greeting: str):
                self.greeting = greeting
            @tool
            def greet(self, x: str):
                return f"{self.greeting} {x}"
    """
    assert run(write_flow(dag, **{"work.py": code}), {"x": "Ann"}).outputs == {"y": "Hello Ann"}


@pytest.mark.parametrize("prefix", ["", "async "])
def test_a_tool_sees_its_callers_context_and_leaks_none(
    write_flow: WriteFlow, workspace: Workspace, prefix: str
) -> None:
    dag = """
        outputs: {y: {type: list, reference: "${second.output}"}}
        nodes:
        - {name: first, type: python, source: {path: look.py}, inputs: {before: []}}
        - {name: second, type: python, source: {path: look.py}, inputs: {before: "${first.output}"}}
    """
    code = f"""
        from contextvars import ContextVar
        from opsloop.core.context import current_workspace
        from promptflow.core import tool
        mine = ContextVar("mine", default=0)
        @tool
        {prefix}def look(before):
            mine.set(mine.get() + 1)
            return [*before, mine.get(), str(current_workspace.get().data_dir)]
    """
    token = current_workspace.set(workspace)
    try:
        result = run(write_flow(dag, **{"look.py": code}), {})
    finally:
        current_workspace.reset(token)
    assert result.outputs == {"y": [1, str(workspace.data_dir), 1, str(workspace.data_dir)]}


def test_a_server_that_is_away_is_unavailable_not_failed(write_flow: WriteFlow) -> None:
    code = f"from opsloop.core.errors import Unavailable\n{TOOL}@tool\ndef work(x): raise Unavailable('it is away')\n"
    with pytest.raises(NodeUnavailable, match="it is away") as caught:
        run(write_flow(one_node(), **{"work.py": code}), {"x": "a"})
    assert caught.value.kind is Kind.UNAVAILABLE


def test_many_runs_at_once_do_not_mix(write_flow: WriteFlow) -> None:
    path = write_flow(one_node(), **{"work.py": f"{TOOL}@tool\ndef work(x): return x\n"})

    async def run_all() -> list[FlowResult]:
        flow = load(path)
        return await asyncio.gather(*(flow.run({"x": str(n)}) for n in range(300)))

    assert [result.outputs["y"] for result in asyncio.run(run_all())] == [str(n) for n in range(300)]


def test_a_flow_that_hangs_takes_no_threads_from_another(write_flow: WriteFlow) -> None:
    release, waits = threading.Event(), f"{TOOL}@tool\ndef work(x):\n    x[0].wait(60)\n    return x\n"
    hanging = load(write_flow(one_node("list"), **{"work.py": waits}))
    other = load(write_flow(one_node(), folder="other", **{"work.py": f"{TOOL}@tool\ndef work(x): return x\n"}))

    async def beside() -> FlowResult:
        stuck = [asyncio.create_task(hanging.run({"x": [release]})) for _ in range(40)]
        await asyncio.sleep(0)  # they ask for their threads first
        try:
            async with asyncio.timeout(60):
                return await other.run({"x": "b"})
        finally:
            release.set()
            await asyncio.gather(*stuck)

    assert asyncio.run(beside()).outputs == {"y": "b"}
