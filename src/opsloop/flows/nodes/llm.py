"""LLM nodes: a template rendered to a conversation that a model answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opsloop.flows.asking import ask, model_named, parameters_in
from opsloop.flows.call import Call
from opsloop.flows.formats.chat_prompt import PromptText
from opsloop.flows.formats.templates import PromptTemplate
from opsloop.flows.models import Literal, Node
from opsloop.flows.nodes.port import Kit, Runner, ToolRaised
from opsloop.flows.nodes.registry import node_type
from opsloop.llm.port import Completion


@node_type("llm")
def prepare_llm(node: Node, kit: Kit) -> Runner:
    if node.api not in (None, "chat", "completion"):
        raise kit.wrong(node, "api", node.api, "chat or completion", ("chat", "completion"))
    return asks_model(node, kit, kit.file_of(node), connection=node.connection, api=node.api or "chat")


def asks_model(
    node: Node, kit: Kit, file: Path, *, connection: str | None, api: str, detail: str | None = None
) -> Runner:
    """What renders a template with a node's inputs and asks a model.

    Args:
        detail: how closely the model is to look at images.
    Raises: TemplateFailed, FlowInvalid when a literal parameter has the wrong type.
    """
    template = PromptTemplate.read(file)

    def wrong(name: str, value: Any, wanted: str) -> Exception:
        return kit.wrong(node, f"inputs.{name}", value, wanted)

    parameters_in({name: each.value for name, each in node.inputs.items() if isinstance(each, Literal)}, wrong)

    async def run(inputs: dict[str, Any], call: Call) -> Any:
        prompt = await rendered(template, inputs, kit)
        model = kit.models.of_connection(connection)
        parameters = parameters_in(inputs, wrong)
        if (name := model_named(inputs, model)) is not None:
            parameters["model"] = name
        if detail is not None:
            parameters["detail"] = detail
        return given(await ask(model, prompt, parameters, call, api=api, images=inputs), parameters)

    return Runner(run, leaves_context=True)


async def rendered(template: PromptTemplate, inputs: dict[str, Any], kit: Kit) -> PromptText:
    """The prompt; made in a thread unless that costs more than the rendering."""
    if template.is_quick_for(inputs):
        return template.render(inputs)
    outcome = await kit.threads.run(template.render, {"values": inputs})
    if outcome.error is not None:
        raise ToolRaised(outcome.error)
    assert isinstance(outcome.value, PromptText)
    return outcome.value


def given(completion: Completion, parameters: dict[str, Any]) -> Any:
    """The text; where the model could call functions the whole message, as Prompt flow gives it."""
    message = completion.message
    if message.get("tool_calls") or message.get("function_call"):
        return {"content": None, **message}
    if parameters.get("tools") or parameters.get("functions"):
        return {"content": completion.text, "role": "assistant", "function_call": None, "tool_calls": None, **message}
    return completion.text
