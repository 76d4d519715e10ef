"""Asking a model: what LLM nodes, prompties and Prompt flow's own tools have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opsloop.flows import spans
from opsloop.flows.call import Call
from opsloop.flows.calls import kept
from opsloop.flows.formats.chat_prompt import PromptText, messages
from opsloop.flows.model_access import Model
from opsloop.flows.models import ValueType
from opsloop.flows.results import TokenUse
from opsloop.flows.values import WrongType, coerce
from opsloop.llm import settings as model_settings
from opsloop.llm.live import current_live
from opsloop.llm.port import ChatProvider, Completion
from opsloop.llm.prices import cost_usd

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
    "echo": ValueType.BOOL,
    "logit_bias": ValueType.OBJECT,
    "response_format": ValueType.OBJECT,
    "tools": ValueType.LIST,
    "functions": ValueType.LIST,
}
AS_GIVEN = ("stop", "suffix", "user", "tool_choice", "function_call", "reasoning_effort", "parallel_tool_calls")
NO_PARAMETER = object()


def parameter(name: str, value: Any) -> Any:
    """A parameter of a model's API in the type the model wants; `''` is how Prompt flow writes one that is unset.

    Returns: NO_PARAMETER when it is unset, or of that name there is none.
    Raises: WrongType.
    """
    if value == "" or value is None:
        return NO_PARAMETER
    if name in AS_GIVEN:
        return value
    return coerce(value, PARAMETERS[name]) if name in PARAMETERS else NO_PARAMETER


def parameters_in(values: Mapping[str, Any], wrong: Callable[[str, Any, str], Exception]) -> dict[str, Any]:
    """The parameters of the model's API among a node's inputs.

    Args:
        wrong: makes the error for a name, its value and the wanted form.
    """
    found = {}
    for name, value in values.items():
        try:
            given = parameter(name, value)
        except WrongType as error:
            raise wrong(name, value, error.wanted) from None
        if given is not NO_PARAMETER:
            found[name] = given
    if "tools" in found:  # what they replace is left out, as Prompt flow does
        found.pop("functions", None)
        found.pop("function_call", None)
    return found


def model_named(values: Mapping[str, Any], model: Model) -> str | None:
    """What a node asks for: Azure goes by `deployment_name`, others by `model`; many flows give both."""
    names = ("deployment_name", "model") if model.names_deployments else ("model", "deployment_name")
    return next((str(values[name]) for name in names if values.get(name)), model.name)


async def ask(
    model: Model, prompt: PromptText, parameters: dict[str, Any], call: Call, *, api: str, images: Mapping[str, Any]
) -> Completion:
    """Ask, and note in the call what was asked and used; text goes out as it comes where somebody listens.

    Args:
        api: chat or completion.
        images: values in which the images are that the prompt names.
    """
    operation = "text_completion" if api == "completion" else "chat"
    asked = parameters.get("model") or model.provider.model or None
    with spans.model_span(operation, asked) as span:
        span.set_attribute("gen_ai.operation.name", operation)
        if asked:
            span.set_attribute("gen_ai.request.model", asked)
        try:
            completion = await _answered(kept(model.provider), prompt, parameters, call, api=api, images=images)
        except Exception as error:
            spans.fail(span, error)
            raise
        spans.describe_model(span, operation, call)
    return completion


async def _answered(
    provider: ChatProvider,
    prompt: PromptText,
    parameters: dict[str, Any],
    call: Call,
    *,
    api: str,
    images: Mapping[str, Any],
) -> Completion:
    if api == "completion":
        call.conversation = [{"role": "user", "content": str(prompt)}]
        completion = await provider.complete(str(prompt), **parameters)
        if call.emit is not None and completion.text:
            await call.emit(completion.text)
    else:
        detail = parameters.pop("detail", None)
        call.conversation = messages(prompt.marked, images.values(), detail=detail)
        completion = await _chat(provider, call, parameters)
    call.tokens, call.engine, call.model = used(completion), provider.engine, completion.model
    return completion


def used(completion: Completion) -> TokenUse:
    usage = completion.usage
    if usage is None:
        return TokenUse(calls=1, uncounted_calls=1)
    cost = cost_usd(completion.model, usage, model_settings.here().llm_prices)
    return TokenUse(
        usage.prompt_tokens,
        usage.completion_tokens,
        calls=1,
        estimated_calls=int(usage.estimated),
        unpriced_calls=int(cost is None),
        priced_usd=cost or 0.0,
    )


async def _chat(provider: ChatProvider, call: Call, parameters: dict[str, Any]) -> Completion:
    if call.emit is None:
        return await _whole(provider, call, parameters)
    completion: Completion | None = None
    async for piece in provider.stream(call.conversation, **parameters):
        if isinstance(piece, Completion):
            completion = piece
        else:
            await call.emit(piece)
    assert completion is not None, "a provider's stream ends with the whole completion"
    return completion


async def _whole(provider: ChatProvider, call: Call, parameters: dict[str, Any]) -> Completion:
    live = current_live.get()
    if live is None or live.hedger is None:
        return await provider.chat(call.conversation, **parameters)
    other: ChatProvider = getattr(provider, "beside", None) or provider
    return await live.hedger.first_of(
        lambda: provider.chat(call.conversation, **parameters),
        lambda: other.chat(call.conversation, **parameters),
        live.told,
    )
