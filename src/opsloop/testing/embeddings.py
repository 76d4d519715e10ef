"""Embeddings: of texts or of tokens, as numbers or in base64."""

from __future__ import annotations

from typing import Any

import msgspec

from opsloop.core.web.json_body import decoded
from opsloop.testing import tokens, wire
from opsloop.testing.requests import EmbeddingRequest
from opsloop.testing.said import Said
from opsloop.testing.vectors import base64_of, vector
from opsloop.testing.wire import Asker

NAME = "embeddings"
DIMENSIONS = {"text-embedding-3-large": 3072}
DEFAULT_DIMENSIONS = 1536
_DECODER = msgspec.json.Decoder(EmbeddingRequest)


class Embeddings:
    """One request of embeddings. Raises: InvalidInput when `body` is none."""

    def __init__(self, body: bytes) -> None:
        self.request = decoded(_DECODER, body)
        self.model = self.request.model
        self.needs_model = True
        self.streams = False

    @property
    def texts(self) -> list[str]:
        return self.request.texts

    def body(self, asker: Asker, scripted: Said | None) -> bytes:
        prompt_tokens = sum(tokens.count(text) for text in self.texts)
        return wire.encode(
            {
                "object": "list",
                "data": [
                    {"object": "embedding", "index": index, "embedding": self._embedding(asker, text)}
                    for index, text in enumerate(self.texts)
                ],
                "model": asker.model,
                "usage": {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens},
            }
        )

    def events(self, asker: Asker, scripted: Said | None) -> list[bytes]:
        return [self.body(asker, scripted)]

    def _embedding(self, asker: Asker, text: str) -> Any:
        dimensions = self.request.dimensions or DIMENSIONS.get(asker.model, DEFAULT_DIMENSIONS)
        values = vector(text, dimensions)
        return base64_of(values) if self.request.encoding_format == "base64" else values
