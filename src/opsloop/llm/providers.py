"""Which provider answers: the server that a connection or the settings name, else the offline engine."""

from __future__ import annotations

import functools
from pathlib import Path

from opsloop.core.clock import SystemClock
from opsloop.core.settings import CoreSettings
from opsloop.llm import settings as model_settings
from opsloop.llm.breaker import Breaker
from opsloop.llm.failover import Failover, Server
from opsloop.llm.fallbacks import Fallback, fallbacks
from opsloop.llm.offline import OfflineEngine
from opsloop.llm.port import ChatProvider
from opsloop.llm.recording import Mode, Recorded, Recording
from opsloop.llm.retrying import Patience
from opsloop.llm.servers import ModelServer, ServerKind

KEPT = 64
HASTY = Patience(attempts=2, first_wait_s=0.2, longest_wait_s=2.0, longest_s=10.0)
"""Where another server can be asked, one is not tried for long."""


def chat_provider(settings: CoreSettings) -> ChatProvider:
    """The provider of the settings. The same settings give the same one, with its open connections.

    Raises: InvalidInput when the settings name a server that is none.
    """
    if settings.llm_base_url is None:
        return _recorded(OfflineEngine(), settings.llm_model)
    models = model_settings.here()
    if not models.llm_fallbacks:
        return provider_for(server_of(settings), model=settings.llm_model)
    found = _failing_over(server_of(settings), settings.llm_model, models.llm_fallbacks, models.llm_failover_after_s)
    return _recorded(found, settings.llm_model)


def server_of(settings: CoreSettings) -> ModelServer:
    """The server that the settings name; there must be one. Raises: InvalidInput when its address is none."""
    assert settings.llm_base_url is not None
    return ModelServer(
        settings.llm_base_url,
        kind=ServerKind(settings.llm_api_type),
        api_key=settings.llm_api_key,
        api_version=settings.llm_api_version,
        calls_per_minute=settings.llm_calls_per_minute,
    )


def provider_for(server: ModelServer, *, model: str | None = None) -> ChatProvider:
    """The provider for a server. An equal server gives the same one, with its open connections.

    Args:
        model: what to ask for (of kind azure: the deployment) when a call names no `model` itself.
    """
    return _recorded(_connected(server, model), model)


@functools.lru_cache(maxsize=KEPT)
def _connected(server: ModelServer, model: str | None) -> ChatProvider:
    from opsloop.llm.openai_compatible import OpenAICompatible  # its HTTP library takes a tenth of a second to load

    return OpenAICompatible(server, model=model)


@functools.lru_cache(maxsize=KEPT)
def _failing_over(server: ModelServer, model: str, named: str, begins_within_s: float) -> ChatProvider:
    from opsloop.llm.openai_compatible import OpenAICompatible  # see above

    clock = SystemClock()
    first = OpenAICompatible(server, model=model, patience=HASTY)
    servers = [Server(server.address, first, Breaker(clock, server.address))]
    for each in fallbacks(named):
        if isinstance(each, Fallback):
            other = each.server()
            provider = OpenAICompatible(other, model=each.model or model, patience=HASTY)
            servers.append(Server(other.address, provider, Breaker(clock, other.address), each.model))
        else:
            servers.append(Server(each, OfflineEngine(), Breaker(clock), OfflineEngine().model))
    return Failover(servers, begins_within_s=begins_within_s)


def _recorded(provider: ChatProvider, model: str | None) -> ChatProvider:
    """The provider, behind the recording that the settings name when they name one."""
    settings = model_settings.here()
    if settings.llm_recording is None:
        return provider
    recording = _recording(settings.llm_recording, settings.llm_recording_mode)
    return Recorded(provider, recording, model=model or provider.model)


@functools.lru_cache(maxsize=KEPT)
def _recording(path: Path, mode: Mode) -> Recording:
    return Recording(path, mode)
