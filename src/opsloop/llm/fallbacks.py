"""The setting OPSLOOP_LLM_FALLBACKS: which model servers are asked when the first cannot answer."""

from __future__ import annotations

from typing import Literal

import msgspec

from opsloop.core.errors import InvalidInput
from opsloop.llm.servers import ModelServer, ServerKind

SETTING = "setting OPSLOOP_LLM_FALLBACKS"


class Fallback(msgspec.Struct, forbid_unknown_fields=True):
    """Args: model: what to ask it for; None: for what the call names."""

    base_url: str
    api_key: str | None = None
    model: str | None = None
    api_type: Literal["openai", "azure"] = "openai"
    api_version: str | None = None

    def server(self) -> ModelServer:
        """Raises: InvalidInput when its address is none."""
        return ModelServer(
            self.base_url, kind=ServerKind(self.api_type), api_key=self.api_key, api_version=self.api_version
        )


def fallbacks(text: str) -> tuple[Fallback | Literal["offline"], ...]:
    """Raises: InvalidInput; it shows nothing of the text, in which keys stand."""
    if not text.strip():
        return ()
    try:
        return msgspec.json.decode(text, type=tuple[Fallback | Literal["offline"], ...])
    except (msgspec.MsgspecError, ValueError) as error:
        wanted = 'a JSON list of objects with base_url, api_key and model, or "offline"'
        raise InvalidInput(f"{SETTING}: {error}; wanted {wanted}", field=SETTING) from None
