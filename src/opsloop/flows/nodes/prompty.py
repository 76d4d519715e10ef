"""The one node of a prompty: its prompt rendered, its model asked, the answer in the form it wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.flows.asking import ask
from opsloop.flows.call import Call
from opsloop.flows.errors import ModelAnswerInvalid
from opsloop.flows.formats.chat_prompt import PromptText
from opsloop.flows.formats.templates import PromptTemplate
from opsloop.flows.model_access import Model, ModelAccess
from opsloop.flows.models import Flow, Node
from opsloop.flows.nodes.llm import rendered
from opsloop.flows.nodes.port import Kit, Runner
from opsloop.flows.nodes.registry import node_type
from opsloop.llm.port import Completion

OUTPUT = "output"
_PENDING = 64


@node_type("prompty", is_written=False)
def prepare_prompty(node: Node, kit: Kit) -> Runner:
    assert kit.flow.prompty is not None
    template = PromptTemplate(kit.flow.prompty.template, file=kit.file)

    async def run(inputs: dict[str, Any], call: Call) -> Any:
        prompt = await rendered(template, inputs, kit)
        return await answer(kit.flow, prompt, inputs, kit.models, call)

    return Runner(run)


async def answer(flow: Flow, prompt: PromptText, inputs: Mapping[str, Any], models: ModelAccess, call: Call) -> Any:
    """What a prompty gives for some inputs.

    Args:
        prompt: rendered with the inputs.
    Returns: text; the message when the model calls tools; an object when JSON was asked for; the server's whole
        response when the prompty says `response: all`.
    Raises: ConnectionInvalid, ModelAnswerInvalid.
    """
    asked = _asked(flow, prompt, models)
    if _wants_json(asked.parameters):
        call.emit = None  # its pieces are no answer anybody could use
    completion = await ask(asked.model, asked.prompt, asked.parameters, call, api=asked.api, images=inputs)
    assert flow.prompty is not None
    return completion.response if flow.prompty.model.returns_all else _first(flow, completion, asked.parameters)


async def pieces(
    flow: Flow, prompt: PromptText, inputs: Mapping[str, Any], models: ModelAccess, call: Call
) -> AsyncGenerator[str, None]:
    """The text a prompty gives, as it is made. Raises: as `answer`."""
    made: asyncio.Queue[str | None] = asyncio.Queue(_PENDING)
    call.emit = made.put

    async def work() -> Any:
        try:
            return await answer(flow, prompt, inputs, models, call)
        finally:
            current = asyncio.current_task()
            if current is not None and not current.cancelling():  # else nobody reads the queue any more
                await made.put(None)

    task = asyncio.create_task(work())
    emitted = False
    try:
        while (piece := await made.get()) is not None:
            emitted = True
            yield piece
        whole = await task
        if not emitted and isinstance(whole, str) and whole:
            yield whole
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    model: Model
    prompt: PromptText
    parameters: dict[str, Any]
    api: str


def _asked(flow: Flow, prompt: PromptText, models: ModelAccess) -> _Asked:
    assert flow.prompty is not None
    wanted = flow.prompty.model
    model = models.of_configuration(wanted.configuration)
    parameters = {key: value for key, value in wanted.parameters.items() if key != "stream" and value is not None}
    if model.name is not None:
        parameters["model"] = model.name
    return _Asked(model, prompt, parameters, wanted.api)


def _first(flow: Flow, completion: Completion, parameters: Mapping[str, Any]) -> Any:
    if completion.finish_reason in ("tool_calls", "function_call") and completion.message:
        return {"content": None, **completion.message}
    if not _wants_json(parameters):
        return completion.text
    try:
        found = json.loads(completion.text)
    except ValueError as error:
        raise ModelAnswerInvalid(flow=flow.name, reason=f"it is no JSON: {error}") from None
    declared = [name for name in flow.outputs if name != OUTPUT or len(flow.outputs) > 1]
    if not declared or not isinstance(found, dict):
        return found
    for name in declared:
        if name not in found:
            raise ModelAnswerInvalid(flow=flow.name, reason=f"it has no {name!r} (there is {', '.join(found)})")
    return {name: found[name] for name in declared}


def _wants_json(parameters: Mapping[str, Any]) -> bool:
    form = parameters.get("response_format")
    return isinstance(form, Mapping) and form.get("type") in ("json_object", "json_schema")
