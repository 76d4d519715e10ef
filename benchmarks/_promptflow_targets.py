"""Prompt flow's own examples that are to run, and what each needs that its folder does not say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Where files that an example takes from the web are served in their place; put in when it is known.
FILES_URL = "{FILES_URL}"


@dataclass(frozen=True, slots=True)
class Example:
    """Args:
    path: of the flow below `examples/`: its folder, or a prompty.
    inputs: that come before those of its sample and its data.
    prepare: what its README says is done first, in its folder.
    """

    path: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[Path], None] | None = None


def _links(folder: Path) -> None:
    subprocess.run([sys.executable, "create_symlinks.py"], cwd=folder, check=True)


def _connection(folder: Path) -> None:
    """Its README asks to fill in the connection and the deployment."""
    file = folder / "flow.dag.yaml"
    written = file.read_text().replace('connection: ""', "connection: open_ai_connection\n    deployment_name: gpt-4")
    file.write_text(written)


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_IMAGE = {"data:image/png;base64": PIXEL}

_FLEX = [
    *("basic", "chat-minimal", "chat-basic", "chat-stream", "chat-async-stream", "eval-checklist"),
    *("eval-code-quality", "eval-criteria-with-langchain", "chat-with-functions/chat_with_tools.prompty"),
]
_PROMPTY = [
    *("basic/basic.prompty", "chat-basic/chat.prompty", "eval-apology/apology.prompty", "eval-basic/eval.prompty"),
    *(f"format-output/{name}.prompty" for name in ("text_format", "json_format", "stream_output", "all_response")),
]
_CHAT = ["chat-basic", "chat-math-variant", "chat-with-wikipedia", "use_functions_with_chat_models"]
_EVALUATION = [
    *("accuracy-maths-to-code", "basic", "chat-math", "classification-accuracy", "entity-match-rate", "groundedness"),
    *("perceived-intelligence", "qna-non-rag", "qna-rag-metrics", "single-turn-metrics", "multi-turn-metrics"),
    "summarization",
]
_STANDARD = [
    *("basic", "basic-with-builtin-llm", "basic-with-connection", "conditional-flow-for-if-else"),
    *("conditional-flow-for-switch", "question-simulation", "customer-intent-extraction", "web-classification"),
    *("flow-with-additional-includes", "maths-to-code", "named-entity-recognition", "autonomous-agent"),
    "gen-docstring",
]
_TOOLS = [
    *("cascading-inputs", "custom-strong-type-connection-package", "custom-strong-type-connection-script"),
    *("filepath-input", "dynamic-list-input"),
]
_MONITORED = "flows/integrations/continuous-monitoring-with-pipeline/flows/standard/simple-summarization"

TARGETS = (
    *(Example(f"flex-flows/{name}") for name in _FLEX),
    *(Example(f"prompty/{name}") for name in _PROMPTY),
    *(Example(f"flows/chat/{name}") for name in _CHAT),
    Example("flows/chat/chat-with-image", {"question": [_IMAGE, "How many colors can you see?"]}),
    Example("flows/chat/chat-with-pdf", {"pdf_url": f"{FILES_URL}/paper.pdf"}),
    *(Example(f"flows/evaluation/eval-{name}") for name in _EVALUATION),
    *(Example(f"flows/standard/{name}") for name in _STANDARD),
    Example("flows/standard/flow-with-symlinks", prepare=_links),
    Example("flows/standard/describe-image", {"input_image": _IMAGE}),
    Example(_MONITORED, {"answer": "Prompt flow is a suite of tools for applications of large language models."}),
    *(Example(f"tools/use-cases/{name}-tool-showcase") for name in _TOOLS),
    Example("tools/use-cases/custom_llm_tool_showcase"),
    Example("tutorials/flow-deploy/create-service-with-flow/echo_connection_flow", {"flow_input": "hello"}),
    Example("tutorials/generate-test-data/example_flow", prepare=_connection),
)

# What a model would answer to prompts that ask for more than a text; all else is answered by the server's own rules.
ANSWERS: list[dict[str, Any]] = [
    {"when": {"contains": "Only accepts JSON format, likes below"}, "json": {"name": "John", "answer": "One."}},
    {"when": {"regex": "(?i)the output should be in a json format"}, "json": {"score": 4, "explanation": "It is apt."}},
    {"when": {"contains": "Evaluation Form (scores ONLY)"}, "answer": "3"},
]


def connections(azure: str) -> dict[str, dict[str, Any]]:
    """The connections that the examples name, to a model server at this address."""
    model = {"type": "azure_open_ai", "api_base": azure, "api_key": "key", "api_version": "2024-02-01"}
    version = {"api_type": "azure", "api_version": "2024-02-01", "azure_endpoint": azure, "api_base": azure}
    intent = {"AZURE_OPENAI_API_BASE": azure, "CHAT_DEPLOYMENT_NAME": "gpt-35-turbo"}
    return {
        "open_ai_connection": model,
        "azure_open_ai_connection": model,
        "aoai_gpt4v_connection": model,
        "basic_custom_connection": {"type": "custom", "configs": version, "secrets": {"api_key": "key"}},
        "normal_custom_connection": {"type": "custom", "configs": version, "secrets": {"api_key": "key"}},
        "my_custom_connection": {"type": "custom", "configs": version, "secrets": {"api_key": "key"}},
        "my_llm_connection": {"type": "custom", "configs": version, "secrets": {"openai_api_key": "key"}},
        "custom_connection": {"type": "custom", "configs": intent, "secrets": {"AZURE_OPENAI_API_KEY": "key"}},
    }


def sample_of(folder: Path) -> dict[str, Any]:
    """Inputs that an example's folder brings beside its flow: a sample, the inputs of a notebook, its first row."""
    for name in ("sample.json", "inputs.json"):
        if (folder / name).is_file():
            found = json.loads((folder / name).read_text())
            return dict(found.get("inputs", found))
    for name in ("data.jsonl", "data/denormalized-flat.jsonl"):
        if (folder / name).is_file():
            row, _ = json.JSONDecoder().raw_decode((folder / name).read_text().lstrip() or "{}")
            return dict(row)
    return {}
