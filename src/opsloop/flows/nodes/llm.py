"""LLM nodes: a template rendered to a conversation that a model answers."""

from __future__ import annotations

from typing import Any

from opsloop.flows.formats.chat_prompt import PromptText, messages
from opsloop.flows.models import Literal, Node, ValueType
from opsloop.flows.nodes.port import Call, Kit, Runner, ToolRaised
from opsloop.flows.nodes.registry import node_type
from opsloop.flows.nodes.templates import PromptTemplate
from opsloop.flows.results import TokenUse
from opsloop.flows.values import WrongType, coerce
from opsloop.llm.port import ChatProvider, Completion

PARAMETERS = {
    "temperature": ValueType.DOUBLE,
    "top_p": ValueType.DOUBLE,
    "presence_penalty": ValueType.DOUBLE,
    "frequency_penalty": ValueType.DOUBLE,
    "max_tokens": ValueType.INT,
    "max_completion_tokens": ValueType.INT,
    "n": ValueType.INT,
    "seed": ValueType.INT,
    "logprobs": ValueType.BOOL,
    "top_logprobs": ValueType.INT,
    "best_of": ValueType.INT,
    "logit_bias": ValueType.OBJECT,
    "response_format": ValueType.OBJECT,
    "tools": ValueType.LIST,
    "functions": ValueType.LIST,
}
_AS_GIVEN = ("stop", "user", "tool_choice", "function_call", "reasoning_effort")
_MODEL_NAMES = ("deployment_name", "model")


@node_type("llm")
def prepare_llm(node: Node, kit: Kit) -> Runner:
    if node.api not in (None, "chat", "completion"):
        raise kit.wrong(node, "api", node.api, "chat or completion", ("chat", "completion"))
    template = PromptTemplate.read(kit.file_of(node))
    for name, binding in node.inputs.items():
        if isinstance(binding, Literal):
            _checked(node, kit, name, binding.value)

    async def run(inputs: dict[str, Any], call: Call) -> Any:
        outcome = await kit.threads.run(template.render, {"values": inputs})
        if outcome.error is not None:
            raise ToolRaised(outcome.error)
        parameters = {name: _checked(node, kit, name, value) for name, value in inputs.items()}
        parameters = {name: value for name, value in parameters.items() if value is not None}
        model = next((str(inputs[name]) for name in _MODEL_NAMES if inputs.get(name)), None)
        call.conversation = conversation = _conversation(outcome.value, node.api)
        if model is not None:
            parameters["model"] = model
        provider = kit.chat(node.connection)
        completion = await _ask(provider, conversation, parameters, call)
        call.tokens, call.engine, call.model = _used(completion), provider.engine, completion.model
        if completion.message.get("tool_calls") or completion.message.get("function_call"):
            return dict(completion.message)
        return completion.text

    return Runner(run)


def _conversation(prompt: PromptText, api: str | None) -> list[dict[str, Any]]:
    # Servers that still offer bare completion are few; its prompt goes as one message of the user.
    return [{"role": "user", "content": str(prompt)}] if api == "completion" else messages(prompt.marked)


async def _ask(
    provider: ChatProvider, conversation: list[dict[str, Any]], parameters: dict[str, Any], call: Call
) -> Completion:
    if call.emit is None:
        return await provider.chat(conversation, **parameters)
    completion: Completion | None = None
    async for piece in provider.stream(conversation, **parameters):
        if isinstance(piece, Completion):
            completion = piece
        else:
            await call.emit(piece)
    assert completion is not None, "a provider's stream ends with the whole completion"
    return completion


def _checked(node: Node, kit: Kit, name: str, value: Any) -> Any:
    """A parameter for the model in the type the model wants; None when it is unset or no parameter."""
    if value == "" or value is None:
        return None
    if name in _AS_GIVEN:
        return value
    if name not in PARAMETERS:
        return None
    try:
        return coerce(value, PARAMETERS[name])
    except WrongType as error:
        raise kit.wrong(node, f"inputs.{name}", value, error.wanted) from None


def _used(completion: Completion) -> TokenUse:
    usage = completion.usage
    if usage is None:
        return TokenUse(calls=1, uncounted_calls=1)
    return TokenUse(usage.prompt_tokens, usage.completion_tokens, calls=1)
