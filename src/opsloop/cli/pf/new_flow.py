"""A first flow of each of Prompt flow's types, as `pf flow init` writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_HELLO = {
    "flow.dag.yaml": """\
inputs:
  text: {type: string, default: Hello World!}
outputs:
  output: {type: string, reference: "${echo.output}"}
nodes:
- name: prompt
  type: prompt
  source: {type: code, path: prompt.jinja2}
  inputs: {text: "${inputs.text}"}
- name: echo
  type: python
  source: {type: code, path: echo.py}
  inputs: {text: "${prompt.output}"}
""",
    "prompt.jinja2": "Write about: {{text}}\n",
    "echo.py": '''\
from promptflow.core import tool


@tool
def echo(text: str) -> str:
    """What the flow gives; call a model here."""
    return "Prompt: " + text
''',
    "data.jsonl": json.dumps({"text": "Hello World!"}) + "\n",
}
_CHAT = {
    "flow.dag.yaml": """\
inputs:
  chat_history: {type: list, is_chat_history: true, default: []}
  question: {type: string, is_chat_input: true, default: What can you do?}
outputs:
  answer: {type: string, reference: "${chat.output}", is_chat_output: true}
nodes:
- name: chat
  type: llm
  source: {type: code, path: chat.jinja2}
  inputs:
    deployment_name: gpt-4o
    temperature: 0
    chat_history: "${inputs.chat_history}"
    question: "${inputs.question}"
  connection: open_ai_connection
  api: chat
""",
    "chat.jinja2": """\
# system:
You are a helpful assistant.

{% for item in chat_history %}
# user:
{{item.inputs.question}}
# assistant:
{{item.outputs.answer}}
{% endfor %}

# user:
{{question}}
""",
    "data.jsonl": json.dumps({"question": "What can you do?", "chat_history": []}) + "\n",
}
_EVALUATION = {
    "flow.dag.yaml": """\
inputs:
  groundtruth: {type: string, default: APP}
  prediction: {type: string, default: APP}
outputs:
  result: {type: string, reference: "${grade.output}"}
nodes:
- name: grade
  type: python
  source: {type: code, path: grade.py}
  inputs: {groundtruth: "${inputs.groundtruth}", prediction: "${inputs.prediction}"}
- name: aggregate
  type: python
  source: {type: code, path: aggregate.py}
  inputs: {results: "${grade.output}"}
  aggregation: true
""",
    "grade.py": '''\
from promptflow.core import tool


@tool
def grade(groundtruth: str, prediction: str) -> str:
    """The grade of one row."""
    return "Correct" if groundtruth.lower() == prediction.lower() else "Incorrect"
''',
    "aggregate.py": '''\
from promptflow.core import log_metric, tool


@tool
def aggregate(results: list) -> float:
    """The metric over all rows."""
    accuracy = results.count("Correct") / len(results)
    log_metric("accuracy", accuracy)
    return accuracy
''',
    "data.jsonl": json.dumps({"groundtruth": "App", "prediction": "App"}) + "\n",
}
FLOWS: Mapping[str, Mapping[str, str]] = {"standard": _HELLO, "chat": _CHAT, "evaluation": _EVALUATION}


def write(folder: Path, type: str) -> None:
    """Write the files of a new flow into a folder. Raises: OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in FLOWS[type].items():
        (folder / name).write_text(content, "utf-8")
