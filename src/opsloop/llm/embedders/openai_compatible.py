"""Embeddings from any server that speaks OpenAI's API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from opsloop.core.clock import Clock, SystemClock
from opsloop.core.errors import shown
from opsloop.llm import answer_length, spending
from opsloop.llm.embedders._sparse import Floats
from opsloop.llm.errors import AnswerTooLong, ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.port import Usage
from opsloop.llm.retrying import RETRYABLE, Patience, retry_after_s
from opsloop.llm.token_estimates import text_usage

# Servers limit how many texts one call may bring; 2,048 is OpenAI's own limit, others stop earlier.
TEXTS_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class OpenAICompatibleEmbedder:
    """An embedder behind `base_url`, e.g. `https://api.openai.com/v1`. Never called inside a transaction.

    Args:
        timeout_s: longest silence of the server.
        transport: what carries requests, for tests.
        pause: how to wait between tries, for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        patience: Patience | None = None,
        clock: Clock | None = None,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._model = model
        self._patience = patience or Patience()
        self._clock = clock or SystemClock()
        self._pause = pause
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        timeout = httpx.Timeout(timeout_s, connect=10.0)
        self._client = httpx.Client(headers=headers, timeout=timeout, transport=transport)

    @property
    def identity(self) -> str:
        return f"openai-compatible-{self._model}"

    def embed(self, texts: Sequence[str]) -> Floats:
        """Raises: ModelUnavailable, ModelRefused, ModelGarbled, AnswerTooLong."""
        parts = [self._embedded(texts[at : at + TEXTS_AT_ONCE]) for at in range(0, len(texts), TEXTS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float32)

    def close(self) -> None:
        self._client.close()

    def _embedded(self, texts: Sequence[str]) -> Floats:
        # A server may refuse an empty text; a space means the same.
        body = {"model": self._model, "input": [text or " " for text in texts], "encoding_format": "float"}
        with spending.billed_now(spending.most_of_texts(self._model, texts)) as bill:
            answer = self._post(body)
            try:
                document = json.loads(answer.body)
                vectors = _vectors(document, len(texts))
            except (ValueError, LookupError, TypeError) as error:
                raise ModelGarbled(base_url=self._base_url, reason=shown(str(error))) from error
            bill.settle(self._model, _usage(document, texts))
        return vectors

    def _post(self, body: dict[str, Any]) -> _Answer:
        attempt = 0
        while True:
            wait_s, failure = self._tried(body, attempt)
            if isinstance(failure, _Answer):
                return failure
            if wait_s is None:
                raise failure
            self._pause(wait_s)
            attempt += 1

    def _tried(
        self, body: dict[str, Any], attempt: int
    ) -> tuple[float | None, _Answer | ModelUnavailable | ModelRefused]:
        """A good answer, or what went wrong with how long to wait before the next try (None: do not)."""
        try:
            answer = self._asked(body)
        except httpx.TransportError as error:
            what = f"did not answer ({type(error).__name__})"
            return self._patience.wait_s(attempt, None), ModelUnavailable(base_url=self._base_url, what=what)
        if 200 <= answer.status < 300:
            return None, answer
        if answer.status not in RETRYABLE:
            reason = shown(answer.body.decode("utf-8", "replace"), limit=200)
            return None, ModelRefused(base_url=self._base_url, status=answer.status, reason=reason)
        asked_s = retry_after_s(answer.headers.get("retry-after"), self._clock.now())
        away = ModelUnavailable(base_url=self._base_url, what=f"answers with status {answer.status}")
        return self._patience.wait_s(attempt, asked_s), away

    def _asked(self, body: dict[str, Any]) -> _Answer:
        limit = answer_length.limit_bytes(texts=len(body["input"]))
        came = bytearray()
        with self._client.stream("POST", f"{self._base_url}/embeddings", json=body) as response:
            for piece in response.iter_bytes():
                came += piece
                if len(came) > limit:
                    raise AnswerTooLong(base_url=self._base_url, limit=limit)
            return _Answer(response.status_code, response.headers, bytes(came))


def _usage(document: Any, texts: Sequence[str]) -> Usage:
    counted = document.get("usage") if isinstance(document, dict) else None
    tokens = counted.get("prompt_tokens") if isinstance(counted, dict) else None
    return Usage(tokens, 0) if isinstance(tokens, int) else text_usage(texts)


def _vectors(document: Any, count: int) -> Floats:
    """Rows in the order asked for, divided by their length. Raises: ValueError and kin when the form is wrong."""
    ordered = sorted(document["data"], key=lambda item: item["index"])
    if [item["index"] for item in ordered] != list(range(count)):
        raise ValueError(f"{len(ordered)} vectors came for {count} texts")
    rows = np.array([item["embedding"] for item in ordered], dtype=np.float32)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError("the vectors are not finite numbers of one length")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0] = 1.0
    unit: Floats = rows / lengths
    return unit
