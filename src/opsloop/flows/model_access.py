"""Which model answers a node: that of the connection it names, else that of the settings, else the offline engine."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from opsloop.core.errors import InvalidInput
from opsloop.flows.connections.lookup import Connections
from opsloop.flows.connections.model_servers import configured, server_of
from opsloop.flows.models import Flow, Node
from opsloop.llm import settings as model_settings
from opsloop.llm.port import ChatProvider
from opsloop.llm.providers import chat_provider, provider_for
from opsloop.llm.servers import ModelServer


@dataclass(frozen=True, slots=True)
class Model:
    """A provider and what to ask it for; `names_deployments` when it goes by Azure's names for models."""

    provider: ChatProvider
    name: str | None = None
    names_deployments: bool = False


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """Args:
    chat: answers everything, whatever is configured; for tests and evaluations.
    """

    connections: Connections
    chat: ChatProvider | None = None

    def __post_init__(self) -> None:
        model_settings.here()  # paths in them are relative to where the flow was loaded, not to where it then runs

    def of_connection(self, name: str | None) -> Model:
        """The model of a node that names this connection. Raises: ConnectionInvalid."""
        if self.chat is not None:
            return Model(self.chat)
        connection = self.connections.get(name) if name else None
        return _default() if connection is None else _of_server(server_of(connection))

    def of_configuration(self, configuration: object) -> Model:
        """The model of a prompty. Raises: ConnectionInvalid."""
        server, model = configured(configuration, self.connections)
        if self.chat is not None:
            return Model(self.chat, model)
        return _default(model) if server is None else _of_server(server, model)


def _of_server(server: ModelServer, model: str | None = None) -> Model:
    return Model(provider_for(server, model=model), model, server.names_model_in_path)


def _default(model: str | None = None) -> Model:
    return Model(chat_provider(model_settings.core_here()), model)


def unknown_connections(flow: Flow, models: ModelAccess) -> tuple[str, ...]:
    """What to tell of LLM nodes whose connection nobody knows here: the server of the settings answers in its place."""
    if models.chat is not None:
        return ()
    engine = _default().provider.engine
    by = "the offline engine" if engine == "offline" else "the model server of the settings"
    told = {}
    for node in flow.nodes:
        name = _names_connection(flow, node)
        if name and name not in told and models.connections.get(name) is None:
            told[name] = f"connection {name!r} of node {node.name} is not known here: {by} answers in its place"
        elif not name and node.type == "prompty" and engine == "offline" and not _has_server(flow, models):
            told[node.name] = f"{flow.file} names no model server that is known here: {by} answers in its place"
    return tuple(told.values())


def _has_server(flow: Flow, models: ModelAccess) -> bool:
    try:
        return flow.prompty is None or configured(flow.prompty.model.configuration, models.connections)[0] is not None
    except InvalidInput:
        return True  # one is named and something is wrong with it, which the run will say


def _names_connection(flow: Flow, node: Node) -> str | None:
    if node.type == "llm":
        return node.connection
    found = flow.prompty.model.configuration.get("connection") if flow.prompty is not None else None
    return found if isinstance(found, str) else None


# For users' Python that asks a model itself, through a prompty.
current_models: ContextVar[ModelAccess] = ContextVar("current_models")
