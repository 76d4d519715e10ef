"""Which provider answers, by the settings: the server named there, else the offline engine."""

from __future__ import annotations

import functools

from opsloop.core.settings import CoreSettings
from opsloop.llm.offline import OfflineEngine
from opsloop.llm.openai_compatible import OpenAICompatible
from opsloop.llm.port import ChatProvider


def chat_provider(settings: CoreSettings) -> ChatProvider:
    """The provider for chat. The same settings give the same one, with its open connections."""
    return _provider(settings.llm_base_url, settings.llm_api_key, settings.llm_model)


@functools.lru_cache(maxsize=8)
def _provider(base_url: str | None, api_key: str | None, model: str) -> ChatProvider:
    if base_url is None:
        return OfflineEngine()
    return OpenAICompatible(base_url, api_key=api_key, model=model)
