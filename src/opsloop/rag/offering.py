"""Which embedders programs may use, by names that say nothing of this machine, and the vectors that they make.

`collection/NAME` is whatever makes that collection's vectors, the fitted one too, for whoever may read the collection.
An encoder goes by the name of its folder and a model of the model server by its own, when a collection or the settings
use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from opsloop.core.caller import Caller
from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag._engines import offered
from opsloop.rag.collections import collections
from opsloop.rag.models import LSA
from opsloop.rag.settings import RagSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREFIX = "collection/"


@dataclass(frozen=True, slots=True)
class Offer:
    """An embedder under its name; `collection` is the one that it is fitted to, if it is to one."""

    name: str
    embedder: str
    collection: str | None
    created_at: datetime | None


class NotOffered(NotFound):
    template = "no embedder named {name!r}; GET /v1/models lists those that there are"


class NothingFitted(NotFound):
    template = "collection {name!r} holds no documents yet, so its embedder is not fitted; upload some first"


def offers(uow: UnitOfWork) -> list[Offer]:
    """What the caller may embed with."""
    found: dict[str, Offer] = {}
    usual = uow.workspace.section(RagSettings).rag_embedder
    readable = collections(uow)
    for embedder, created_at in ((usual, None), *((each.embedder, each.created_at) for each in readable)):
        if embedder != LSA:
            name = embedder.partition(":")[2].rstrip("/").rpartition("/")[2]
            found.setdefault(name, Offer(name, embedder, None, created_at))
    for each in readable:
        name = f"{PREFIX}{each.name}"
        found[name] = Offer(name, each.embedder, each.name, each.created_at)
    return list(found.values())


def embed(workspace: Workspace, caller: Caller, name: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """The vectors of texts, of shape (texts, dimensions), each of length 1 or 0.

    Raises: NotOffered, NothingFitted, EmbedderAway, ExtraNeeded.
    """
    with workspace.reading(caller) as uow:
        offer = next((each for each in offers(uow) if each.name == name), None)
        if offer is None:
            raise NotOffered(name=name)
        embedder = offered().embedder_of(uow, offer.collection, offer.embedder)
    if embedder is None:
        raise NothingFitted(name=offer.collection)
    found: NDArray[np.float32] = offered().embedded(embedder, texts, offer.collection or name, offer.embedder)
    return found
