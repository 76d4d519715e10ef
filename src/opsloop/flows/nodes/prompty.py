"""The one node of a prompty: its prompt rendered, its model asked, the answer in the form it wants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opsloop.flows.asking import ask
from opsloop.flows.call import Call
from opsloop.flows.errors import ModelAnswerInvalid
from opsloop.flows.formats.templates import PromptTemplate
from opsloop.flows.model_access import ModelAccess
from opsloop.flows.models import Flow, Node
from opsloop.flows.nodes.port import Kit, Runner
from opsloop.flows.nodes.registry import node_type
from opsloop.llm.port import Completion

OUTPUT = "output"


@node_type("prompty", is_written=False)
def prepare_prompty(node: Node, kit: Kit) -> Runner:
    assert kit.flow.prompty is not None
    template = PromptTemplate(kit.flow.prompty.template, file=kit.file)

    async def run(inputs: dict[str, Any], call: Call) -> Any:
        return await answer(kit.flow, template, inputs, kit.models, call)

    return Runner(run)


async def answer(
    flow: Flow, template: PromptTemplate, inputs: Mapping[str, Any], models: ModelAccess, call: Call
) -> Any:
    """What a prompty gives for some inputs.

    Returns: text; the message when the model calls tools; an object when JSON was asked for; the server's whole
        response when the prompty says `response: all`.
    Raises: TemplateFailed, ConnectionInvalid, ModelAnswerInvalid.
    """
    assert flow.prompty is not None
    wanted = flow.prompty.model
    model = models.of_configuration(wanted.configuration)
    parameters = {key: value for key, value in wanted.parameters.items() if key != "stream" and value is not None}
    if model.name is not None:
        parameters["model"] = model.name
    prompt = template.render(inputs)
    if _wants_json(parameters):  # its pieces are no answer anybody could use
        call = _whole(call)
    completion = await ask(model, prompt, parameters, call, api=wanted.api, images=inputs)
    return completion.response if wanted.returns_all else _first(flow, completion, parameters)


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


def _whole(call: Call) -> Call:
    call.emit = None
    return call
