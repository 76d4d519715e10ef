"""Make the vectors of a changeover beside the old ones, then let them serve. Loads numpy.

As in `embedding.py`, texts are embedded outside of any transaction and each batch is written by itself. Documents that
come in meanwhile get vectors of both embedders; the transaction in which the new ones begin to serve looks once more
that none is missing.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import exists, insert, select

from opsloop.core.caller import system
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag._rows import collection_row, count
from opsloop.rag._tables import ChangeoverRow, ChangeoverVectorRow, WindowRow
from opsloop.rag.models import LSA, CollectionMissing
from opsloop.rag.vectors import changeovers, embedders
from opsloop.rag.vectors.indexing import settle
from opsloop.rag.vectors.window_texts import WindowText, texts_of

_BY = system("documents")
_LACKING = ~exists().where(ChangeoverVectorRow.window_seq == WindowRow.seq)


def change_over(workspace: Workspace, collection: str, id: str, tell: Callable[[int, int], None]) -> None:
    """Bring a changeover to its end, from where it is. Nothing when it does not go on.

    Args:
        tell: called with how many vectors are made, of how many.
    Raises: EmbedderAway; EmbedderUnsteady; ExtraNeeded.
    """
    after = -1
    while True:
        with workspace.reading(_BY) as uow:
            going = changeovers.current(uow, collection, id)
            if going is None:
                return
            name = going.embedder
            texts = [] if name == LSA else texts_of(uow, collection, _LACKING, after=after)
            tell(count(uow, ChangeoverVectorRow, collection), count(uow, WindowRow, collection))
        if texts:
            _make(workspace, collection, id, name, texts)
            after = texts[-1].seq
        elif _settled(workspace, collection, id):
            return
        else:
            after = -1  # documents came in; what SQLite numbers anew may have a lower number


def check(workspace: Workspace, collection: str, name: str) -> None:
    """Have an embedder read a word, so that who names one that is away hears of it. Raises: EmbedderAway."""
    if name != LSA:
        embedder = embedders.named(workspace.settings, collection, name)
        embedders.embedded(embedder, ["word"], collection=collection, name=name)


def _make(workspace: Workspace, collection: str, id: str, name: str, texts: list[WindowText]) -> None:
    embedder = embedders.named(workspace.settings, collection, name)
    vectors = embedders.embedded(embedder, [each.text for each in texts], collection=collection, name=name)
    space = embedders.space_of(embedder, vectors.shape[1])
    halves = vectors.astype("<f2")
    made = {each.seq: half.tobytes() for each, half in zip(texts, halves, strict=True)}
    with workspace.writing(_BY) as uow:
        locked = _locked(uow, collection, id)
        if locked is None:
            return
        if locked.space not in (None, space):
            raise embedders.EmbedderUnsteady(name=collection, embedder=name, there=locked.space, here=space)
        locked.space = space
        # Those whose document was deleted meanwhile are not there any more.
        there = uow.session.scalars(select(WindowRow.seq).where(WindowRow.seq.in_(made), _LACKING)).all()
        rows = [{"window_seq": seq, "collection": collection, "vector": made[seq]} for seq in there]
        if rows:
            uow.session.execute(insert(ChangeoverVectorRow), rows)


def _settled(workspace: Workspace, collection: str, id: str) -> bool:
    """Whether the changeover is over; not while a window lacks its vector."""
    with workspace.writing(_BY) as uow:
        locked = _locked(uow, collection, id)
        if locked is None:
            return True
        if locked.embedder != LSA and texts_of(uow, collection, _LACKING, after=-1):
            return False
        settle(uow, collection_row(uow, collection, for_change=True))
        return True


def _locked(uow: UnitOfWork, collection: str, id: str) -> ChangeoverRow | None:
    """The changeover while it goes on, with the collection held so that nothing comes in or goes meanwhile."""
    try:
        collection_row(uow, collection, for_change=True)
    except CollectionMissing:
        return None
    return changeovers.current(uow, collection, id)
