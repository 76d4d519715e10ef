"""Custom LLM nodes: a tool of a package that gets a prompt's template, which it renders itself.

Prompt flow's own tools for images are LLM nodes by another name, and run as such.
"""

from __future__ import annotations

from typing import Any

from opsloop.flows.models import Literal, Node
from opsloop.flows.nodes.arguments import fit, parameters_of
from opsloop.flows.nodes.callables import runner_of
from opsloop.flows.nodes.llm import asks_model
from opsloop.flows.nodes.package_tools import package_tool
from opsloop.flows.nodes.port import Kit, Runner
from opsloop.flows.nodes.registry import node_type

VISION = ("promptflow.tools.aoai_gpt4v.AzureOpenAI.chat", "promptflow.tools.openai_gpt4v.OpenAI.chat")


@node_type("custom_llm")
def prepare_custom_llm(node: Node, kit: Kit) -> Runner:
    file = kit.file_of(node)
    if node.source.tool in VISION:
        connection = _text(node, "connection") or node.connection
        return asks_model(node, kit, file, connection=connection, api="chat", detail=_text(node, "detail") or "auto")
    function = package_tool(node, kit)
    template = file.read_text("utf-8-sig")
    name = next((key for key, each in parameters_of(function).items() if _is_template(each.annotation)), "prompt")
    whole = Node(
        name=node.name,
        type=node.type,
        source=node.source,
        inputs={**node.inputs, name: Literal(template)},
        activate=node.activate,
        aggregation=node.aggregation,
    )
    return runner_of(function, fit(whole, kit, function), kit.threads)


def _text(node: Node, name: str) -> str | None:
    each = node.inputs.get(name)
    return str(each.value) if isinstance(each, Literal) and each.value else None


def _is_template(annotation: Any) -> bool:
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return bool(name == "PromptTemplate" or str(name).endswith(".PromptTemplate"))
