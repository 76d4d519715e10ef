"""The embedder of a collection by its name: `lsa`, `onnx:FOLDER` or `openai:MODEL`. Loads numpy.

`lsa` is fitted on the collection and stored with it. The others are not: a folder or a server may be away, and then a
collection of theirs is searched by words alone, when that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opsloop.core.errors import InvalidInput, OpsloopError, RateLimited, Unavailable
from opsloop.core.settings import CoreSettings
from opsloop.llm.embedders.lsa import LsaEmbedder
from opsloop.llm.embedders.openai_compatible import OpenAICompatibleEmbedder
from opsloop.llm.embedders.port import Embedder
from opsloop.rag.text.words import term_ids

Floats = NDArray[np.float32]


class EmbedderAway(Unavailable):
    template = (
        "collection {name!r} needs the embedder {embedder}, which cannot be used: {reason}. "
        "Bring it back, or search by words alone with ranking `words`"
    )


class EmbedderDiffers(Unavailable):
    template = (
        "collection {name!r} holds vectors of {there}, and {embedder} makes those of {here}; "
        "re-index the collection, or search by words alone with ranking `words`"
    )


class EmbedderUnsteady(Unavailable):
    template = (
        "embedder {embedder} made vectors of {there} at first and of {here} later for collection {name!r}; "
        "re-index it when the embedder is one and the same"
    )


def named(settings: CoreSettings, collection: str, name: str) -> Embedder:
    """The embedder that is not fitted, under its name in a collection. Raises: EmbedderAway."""
    kind, _, rest = name.partition(":")
    try:
        if kind == "onnx":
            from opsloop.llm.embedders.onnx import opened  # onnxruntime: only where an encoder is used

            return opened(Path(rest))
        if settings.llm_base_url is None:
            raise InvalidInput("no model server is set (OPSLOOP_LLM_BASE_URL)")
        return _server(settings.llm_base_url, settings.llm_api_key, rest)
    except OpsloopError as error:
        raise EmbedderAway(name=collection, embedder=name, reason=error.sentence) from error


def embedded(embedder: Embedder, texts: Sequence[str], *, collection: str, name: str) -> Floats:
    """The vectors of texts, shape (texts, dimensions). Raises: EmbedderAway."""
    try:
        return embedder.embed(texts)
    except RateLimited:
        raise  # the caller has used what it may: the embedder is there
    except OpsloopError as error:
        raise EmbedderAway(name=collection, embedder=name, reason=error.sentence) from error


@lru_cache(maxsize=8)
def _server(base_url: str, api_key: str | None, model: str) -> OpenAICompatibleEmbedder:
    return OpenAICompatibleEmbedder(base_url, model=model, api_key=api_key)


def space_of(embedder: Embedder, dimensions: int) -> str:
    """What is stored beside vectors: those of another space are never compared with them."""
    return f"{embedder.identity}-{dimensions}"


_KEPT: dict[str, LsaEmbedder] = {}
_MOST_KEPT = 8


def fitted(identity: str, data: Callable[[], bytes]) -> LsaEmbedder:
    """A fitted embedder under its identity; it is read from its bytes once in a process."""
    found = _KEPT.get(identity)
    if found is None:
        found = LsaEmbedder.from_bytes(data(), term_ids)
        keep(identity, found)
    return found


def keep(identity: str, embedder: LsaEmbedder) -> None:
    """Keep a fitted embedder under its identity; of many the oldest goes."""
    while len(_KEPT) >= _MOST_KEPT:
        _KEPT.pop(next(iter(_KEPT)), None)
    _KEPT[identity] = embedder
