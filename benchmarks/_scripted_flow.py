"""The project that benchmarks of the gateway serve: one node that asks a model what the caller asks."""

from __future__ import annotations

from pathlib import Path

FLOW = """
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${answer.output}", is_chat_output: true}
nodes:
- name: answer
  type: llm
  source: {type: code, path: answer.jinja2}
  inputs: {question: "${inputs.question}", temperature: 0}
  api: chat
"""
PROMPT = "system:\nYou answer briefly.\n\nuser:\n{{question}}\n"


def project_in(folder: Path, *, endpoint: str) -> Path:
    """A new project below a folder; its one endpoint serves the flow."""
    project = folder / "project"
    (project / "flow").mkdir(parents=True)
    (project / "opsloop.yaml").write_text(f"project: benchmark\nendpoints:\n  {endpoint}:\n    flow: flow\n")
    (project / "flow" / "flow.dag.yaml").write_text(FLOW)
    (project / "flow" / "answer.jinja2").write_text(PROMPT)
    return project
