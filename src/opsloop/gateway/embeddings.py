"""POST /v1/embeddings: what embeds documents here, behind the OpenAI protocol."""

from __future__ import annotations

import base64
from typing import Any, Literal

import msgspec
from starlette.concurrency import run_in_threadpool

from opsloop.core.errors import InvalidInput
from opsloop.core.web.json_body import decoded
from opsloop.gateway.calls import Call
from opsloop.gateway.models import caller_of
from opsloop.gateway.serving import Serving
from opsloop.llm.token_estimates import estimate
from opsloop.rag import offering

PATH = "/v1/embeddings"
MOST_TEXTS = 2048  # OpenAI's own limit
_encode = msgspec.json.Encoder().encode


class EmbeddingRequest(msgspec.Struct):
    model: str
    input: str | list[Any]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: str | None = None


_decoder = msgspec.json.Decoder(EmbeddingRequest)


async def embed(serving: Serving, call: Call) -> None:
    """Raises: InvalidInput, NotOffered, EmbedderAway, and what keeps a request from being answered."""
    request = decoded(_decoder, await serving.body(call))
    texts = _texts(request.input)
    tokens = sum(map(estimate, texts))
    async with serving.beside(call, tokens=tokens) as account:
        vectors = await run_in_threadpool(offering.embed, serving.workspace, caller_of(call), request.model, texts)
        if account is not None:
            account.used(tokens)
    if request.dimensions not in (None, vectors.shape[1]):
        wanted = f"{vectors.shape[1]}, which {request.model} has, or nothing"
        raise InvalidInput(field="dimensions", value=request.dimensions, wanted=wanted)
    rows = vectors.astype("<f4")
    is_packed = request.encoding_format == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(row.tobytes()).decode() if is_packed else row.tolist(),
        }
        for index, row in enumerate(rows)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    await call.out.whole(200, _encode({"object": "list", "data": data, "model": request.model, "usage": usage}))


def _texts(given: str | list[Any]) -> list[str]:
    """Raises: InvalidInput naming the text."""
    texts = [given] if isinstance(given, str) else given
    if not texts or len(texts) > MOST_TEXTS:
        raise InvalidInput(field="input", value=len(texts), wanted=f"1 to {MOST_TEXTS} texts")
    for index, text in enumerate(texts):
        field = "input" if isinstance(given, str) else f"input[{index}]"
        if not isinstance(text, str):
            raise InvalidInput(
                field=field, value=text, wanted="text: tokens are not taken, their words are unknown here"
            )
        if not text:
            raise InvalidInput(field=field, value=text, wanted="a text that is not empty")
    return texts
