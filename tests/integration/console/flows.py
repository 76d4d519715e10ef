"""Flows with something to show on their pages."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path
from typing import Any

from opsloop.core.caller import Caller, Role
from opsloop.core.workspace import Workspace
from opsloop.flows import package, running, versions
from opsloop.flows.models import FlowVersion
from opsloop.flows.run_models import FlowRun

DEVELOPER = Caller("test:developer", Role.DEVELOPER)

WHOLE = """
    inputs:
      question: {type: string, is_chat_input: true, description: What a user asks.}
      chat_history: {type: list, is_chat_history: true}
      count: {type: int, default: 3}
      strict: {type: bool, default: true}
      tags: {type: list, default: [a, b]}
      options: {type: object, default: {}}
      picture: {type: image, default: ""}
      token: {type: secret, default: ""}
    outputs:
      answer: {type: string, reference: "${join.output}", is_chat_output: true}
      kind: {type: string, reference: "${classify.output.kind}"}
    nodes:
    - name: classify
      type: python
      source: {type: code, path: classify.py}
      inputs: {question: "${inputs.question}", count: "${inputs.count}"}
    - name: ask
      type: llm
      source: {type: code, path: ask.jinja2}
      inputs: {deployment_name: gpt-4o, temperature: 0.2, question: "${inputs.question}"}
      connection: any
      api: chat
      use_variants: true
    - name: small_talk
      type: python
      source: {type: code, path: small_talk.py}
      inputs: {question: "${inputs.question}"}
      activate: {when: "${classify.output.kind}", is: chat}
    - name: join
      type: python
      source: {type: code, path: join.py}
      inputs: {asked: "${ask.output}", talk: "${small_talk.output}", token: "${inputs.token}"}
    - name: grade
      type: python
      aggregation: true
      source: {type: code, path: grade.py}
      inputs: {answers: "${join.output}"}
    node_variants:
      ask:
        default_variant_id: plain
        variants:
          plain: {node: {type: llm, source: {type: code, path: ask.jinja2}, api: chat, connection: any,
            inputs: {deployment_name: gpt-4o, temperature: 0.2, question: "${inputs.question}"}}}
          terse: {node: {type: llm, source: {type: code, path: terse.jinja2}, api: chat, connection: any,
            inputs: {deployment_name: gpt-4o, question: "${inputs.question}"}}}
    environment: {python_requirements_txt: requirements.txt}
"""
TOOL = "from promptflow.core import tool\n\n\n@tool\n"
FILES = {
    "classify.py": TOOL
    + """\
def classify(question: str, count: int) -> dict:
    # Every question with a greeting is small talk.
    if question == "fail":
        raise ValueError("no kind for this question")
    return {"kind": "chat" if "hello" in question else "question", "count": count}
""",
    "small_talk.py": TOOL + 'def small_talk(question: str) -> str:\n    return "Hello! " + question\n',
    "join.py": TOOL
    + "def join(asked: str, talk: str | None, token: str | None) -> str:\n    return (talk or asked) + (token or '')\n",
    "grade.py": TOOL + "def grade(answers: list) -> int:\n    return len(answers)\n",
    "ask.jinja2": "system:\nAnswer in one sentence. The leave is 30 days a year.\n\nuser:\nQuestion: {{ question }}\n",
    "terse.jinja2": "system:\nBe terse.\n\nuser:\n{{ question }}\n",
    "requirements.txt": "requests  # for the tool\n",
}
ECHO = TOOL + "def echo(**inputs: str) -> str:\n    return ' '.join(str(each) for each in inputs.values())\n"
# Where each node says what those before it said, what all of them say grows to a gigabyte.
CUT_ECHO = ECHO.replace("inputs.values())", "inputs.values())[:50_000]")


def register(workspace: Workspace, folder: Path, name: str, dag: str, files: dict[str, str]) -> FlowVersion:
    """Write a DAG with its files and keep it as a version."""
    return register_files(workspace, folder, name, {"flow.dag.yaml": textwrap.dedent(dag), **files})


def register_files(workspace: Workspace, folder: Path, name: str, files: dict[str, str]) -> FlowVersion:
    place = folder / f"page-{len(list(folder.glob('page-*')))}"
    place.mkdir(parents=True)
    for path, text in files.items():
        (place / path).write_text(text, "utf-8")
    with workspace.writing(DEVELOPER) as uow:
        return versions.register(uow, name, package.archive_of(place))


def run(workspace: Workspace, ref: str, **inputs: Any) -> FlowRun:
    """Run a version and keep the run."""

    async def ran() -> FlowRun:
        return await running.run(await running.prepare(workspace, DEVELOPER, ref, inputs))

    return asyncio.run(ran())


def whole(workspace: Workspace, folder: Path) -> FlowVersion:
    """Two versions of a flow that has a bit of everything; the newest."""
    register(
        workspace, folder, "help-desk", WHOLE, {**FILES, "ask.jinja2": "user:\n{{ question }}\n", "old.txt": "once\n"}
    )
    return register(workspace, folder, "help-desk", WHOLE, FILES)


def huge(workspace: Workspace, folder: Path, *, nodes: int = 30, chars: int = 10_000) -> FlowVersion:
    """Many nodes with long names, a long default, a long file."""
    lines = ["inputs:", f'  text: {{type: string, default: "{"long " * (chars // 5)}"}}']
    lines += [f"  extra_{n}: {{type: string, default: x}}" for n in range(4)]
    lines += ["outputs:", f'  last: {{type: string, reference: "${{step_{nodes - 1}.output}}"}}', "nodes:"]
    for n in range(nodes):
        reads = {"text": "${inputs.text}"} if n % 7 == 0 else {}
        reads |= {f"from_{m}": f"${{step_{m}.output}}" for m in (n - 1, n - 3) if m >= 0 and (n + m) % 4}
        reads |= {"extra": f"${{inputs.extra_{n % 4}}}"} if n % 6 == 0 else {}
        reads = reads or {"text": "${inputs.text}"}
        bound = ", ".join(f'{key}: "{value}"' for key, value in reads.items())
        lines.append(f"- {{name: step_{n}, type: python, source: {{type: code, path: echo.py}}, inputs: {{{bound}}}}}")
    dag = "\n".join(lines).replace("step_7", "step_7_with_a_name_that_goes_on_and_on_for_ever")
    return register(workspace, folder, "huge", dag, {"echo.py": CUT_ECHO + "# a line\n" * 3_000})
