"""Prompt flow's own tools as functions of users' Python: `promptflow.tools.aoai.chat(connection, prompt, …)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.flows.asking import ask, parameters_in
from opsloop.flows.call import Call, current_call
from opsloop.flows.calls import kept
from opsloop.flows.compat.waiting import wait_for
from opsloop.flows.connections.lookup import Connections, as_connection
from opsloop.flows.connections.model_servers import server_of
from opsloop.flows.formats.chat_prompt import PromptText, messages
from opsloop.flows.formats.templates import PromptTemplate
from opsloop.flows.model_access import Model, ModelAccess, current_models
from opsloop.flows.nodes.llm import given
from opsloop.llm.providers import provider_for


def render(prompt: str, values: Mapping[str, Any]) -> PromptText:
    """A template with values in it; the role markers of values begin no message."""
    return PromptTemplate(str(prompt), file="prompt").render(values)


def parse_chat(chat_str: str, images: Sequence[Any] | None = None, detail: str = "auto") -> list[dict[str, Any]]:
    """A rendered prompt as the messages it holds."""
    marked = chat_str.marked if isinstance(chat_str, PromptText) else str(chat_str)
    return messages(marked, images or (), detail=detail if images else None)


def ask_model(
    connection: Any, prompt: str, model: str | None, values: Mapping[str, Any], *, api: str, detail: str | None = None
) -> Any:
    """Render a prompt, ask the model behind a connection, wait for the answer.

    Args:
        connection: an object of a connection class, or a name.
        values: of the prompt's template, and the parameters of the model's API.
    Returns: text, or the message where functions were given.
    Raises: ConnectionInvalid, ModelUnavailable, ModelRefused, TemplateFailed.
    """
    parameters = parameters_in(values, _wrong)
    if model:
        parameters["model"] = model
    if detail is not None:
        parameters["detail"] = detail
    text = render(prompt, values)
    call = Call()
    answer = wait_for(ask(_model(connection), text, parameters, call, api=api, images=values))
    if (node := current_call.get(None)) is not None:
        node.add(call.tokens)
    return given(answer, parameters)


def embed(connection: Any, text: str | Sequence[str], model: str) -> Any:
    """The vector of a text, or those of several."""
    texts = [text] if isinstance(text, str) else list(text)
    found = wait_for(kept(_model(connection).provider).embed(texts, model=model))
    return list(found.vectors[0]) if isinstance(text, str) else [list(each) for each in found.vectors]


def _model(connection: Any) -> Model:
    models = current_models.get(None)
    if models is not None and models.chat is not None:
        return Model(models.chat)
    if isinstance(connection, str) or connection is None:
        return (models or ModelAccess(Connections())).of_connection(connection)
    server = server_of(as_connection(str(getattr(connection, "name", "") or "connection"), connection))
    return Model(provider_for(server), names_deployments=server.names_model_in_path)


def _wrong(name: str, value: Any, wanted: str) -> Exception:
    return InvalidInput(field=name, value=value, wanted=wanted)
