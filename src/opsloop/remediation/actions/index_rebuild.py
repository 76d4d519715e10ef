"""Make all vectors of a collection anew, with its embedder; the old ones serve meanwhile."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.workspace import UnitOfWork
from opsloop.rag import service as rag
from opsloop.remediation.actions.action import Inside, Parameters
from opsloop.remediation.models import Done, Preview, Reach


class Rebuilding(Parameters):
    collection: str = Field(min_length=1, max_length=63)


class IndexRebuild(Inside[Rebuilding]):
    kind = "index.rebuild"
    form = Rebuilding

    def preview(self, uow: UnitOfWork, parameters: Rebuilding) -> Preview:
        found, stats = rag.collection(uow, parameters.collection), rag.stats(uow, parameters.collection)
        return Preview(
            f"all vectors of collection {parameters.collection} are made anew ({stats.chunks} chunks)",
            f"embedder {found.embedder}, {stats.documents} documents, {stats.chunks} chunks",
            (f"{parameters.collection}: the vectors of {stats.chunks} chunks are replaced, the texts stay",),
            Reach(resources=1),
        )

    def act(self, uow: UnitOfWork, parameters: Rebuilding, *, why: str) -> Done:
        rag.reindex(uow, parameters.collection)
        return Done(f"the vectors of collection {parameters.collection} are made anew, {why}")

    def commands(self, parameters: Rebuilding) -> tuple[tuple[str, ...], ...]:
        return (("opsloop", "rag", "reindex", parameters.collection),)


ACTION = IndexRebuild()
