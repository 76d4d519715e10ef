"""The port: what any chat model, or what stands in for one, can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Message = Mapping[str, Any]
"""One message in the form OpenAI's chat API made common: `{"role": "user", "content": "…"}`."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `estimated` when no tokenizer counted them; see `token_estimates`."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Completion:
    """What a call gave. `message` is the whole message, with tool calls where the model made some.

    `usage` is None when nothing is known of it; where a server counts nothing it is estimated. `response` is the
    server's whole body, of a stream the body that it amounts to; empty for an engine that has none.
    """

    text: str
    model: str
    usage: Usage | None = None
    finish_reason: str = "stop"
    message: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Embedding:
    """What an embedding call gave: one vector for each text, in their order."""

    vectors: Sequence[Sequence[float]]
    model: str
    usage: Usage | None = None
    response: Mapping[str, Any] = field(default_factory=dict)


class ChatProvider(Protocol):
    """`engine` names what answers, for traces and for the people who read them: `offline`, `openai-compatible`."""

    engine: str
    model: str

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        """Answer a conversation.

        Args:
            messages: the conversation, oldest first.
            parameters: of OpenAI's chat API (`model`, `temperature`, `max_tokens`, `tools`, …); None means not set.
        Raises: ModelUnavailable, ModelRefused.
        """
        ...

    def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        """As `chat`, in pieces of text as they come; the last item is the whole Completion."""
        ...

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        """Go on with a text, by the bare completion API. Raises: as `chat`."""
        ...

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        """Vectors for some texts as the server gives them, in one call. Raises: as `chat`.

        For flows; an index uses an `Embedder`, which divides the work and the vectors' lengths.
        """
        ...
