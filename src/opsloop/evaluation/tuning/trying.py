"""A copy of a collection's documents in a workspace of its own, to try settings on without touching the collection."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opsloop.core.caller import Caller, Role
from opsloop.core.jobs.inline import run_due
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.evaluation.tuning.measuring import Found
from opsloop.evaluation.tuning.models import Question
from opsloop.rag import service
from opsloop.rag.answering import quoting
from opsloop.rag.models import EMBEDDED, Document, DocumentId, Passage
from opsloop.rag.vectors import indexing
from opsloop.rag.vectors import jobs as embedding_jobs

BY = Caller("system:tuning", Role.ADMIN)
DEPTH = 10
_MARKDOWN = "text/markdown"


@dataclass(frozen=True, slots=True)
class Copied:
    """A document with its text; of one that came in ready passages, the passages."""

    document: Document
    text: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Original:
    """The collection that settings are tried for, and the settings of the workspace it is in."""

    settings: CoreSettings
    collection: str
    embedder: str
    documents: Sequence[Copied]


def copied(uow: UnitOfWork, collection: str) -> list[Copied]:
    """Everything a collection holds."""
    found: list[Document] = []
    while page := service.list_documents(uow, collection, after=found[-1].id if found else None, limit=500):
        found += page
    return [_copy(uow, collection, document) for document in found]


def _copy(uow: UnitOfWork, collection: str, document: Document) -> Copied:
    text = service.document_text(uow, collection, document.id)
    passages = service.passages_of(uow, collection, document.filename)
    are_ready = any(each.passage_id is not None and each.document_id == document.id for each in passages)
    return Copied(document, text, tuple(passages) if are_ready else ())


@dataclass(frozen=True, slots=True)
class Trial:
    """The copy; `known_as` gives the document that a copied one is of, by the copy's id."""

    workspace: Workspace
    collection: str
    known_as: Mapping[DocumentId, Document]

    def ask(
        self, questions: Sequence[Question], vector_weight: float | None, by: str, *, with_support: bool = False
    ) -> list[Found]:
        """What is retrieved for each question with this share of vectors; `by` is what passages are known by."""
        with self.workspace.writing(BY) as uow:
            service.weigh(uow, self.collection, vector_weight)
        with self.workspace.reading(BY) as uow:
            return [self._found(uow, question, by, with_support) for question in questions]

    def _found(self, uow: UnitOfWork, question: Question, by: str, with_support: bool) -> Found:
        passages = service.search(uow, self.collection, question.text, top_k=DEPTH)
        ids = tuple(dict.fromkeys(self._id(passage, by) for passage in passages))
        read = passages[: service.DEFAULT_TOP_K]
        support = quoting.answer(question.text, read, min_support=0.0).support if with_support else 0.0
        return Found(question, ids, tuple(passage.text for passage in passages), support)

    def _id(self, passage: Passage, by: str) -> str:
        if by == "passage_id" and passage.passage_id is not None:
            return passage.passage_id
        original = self.known_as[passage.document_id]
        return original.filename if by == "filename" else original.id


@contextmanager
def trial(original: Original, chunking: str) -> Iterator[Trial]:
    """The documents cut in one way, in a workspace with these settings but of its own, that goes when this ends."""
    assert embedding_jobs  # imported: it registers the handler
    with tempfile.TemporaryDirectory(prefix="opsloop-tuning-") as folder:
        workspace = open_workspace(_elsewhere(original.settings, Path(folder)))
        try:
            with workspace.writing(BY) as uow:
                service.create_collection(
                    uow, original.collection, chunking=chunking, embedder=original.embedder, store=EMBEDDED
                )
                known_as = {
                    one: each.document
                    for number, each in enumerate(original.documents)
                    for one in _put(uow, original.collection, number, each)
                }
            run_due(workspace, kind=indexing.EMBED)  # embedders that are not fitted make their vectors in a job
            yield Trial(workspace, original.collection, known_as)
        finally:
            workspace.close()


def _elsewhere(settings: CoreSettings, folder: Path) -> CoreSettings:
    """A copy, not new settings: those would follow the environment to the database that is in use."""
    own = {"data_dir": folder, "database_url": f"sqlite:///{folder / 'tuning.db'}", "artifacts_url": None}
    return settings.model_copy(update=own)


def _put(uow: UnitOfWork, collection: str, number: int, copy: Copied) -> list[DocumentId]:
    if not copy.passages:
        ending = "md" if copy.document.media_type == _MARKDOWN else "txt"
        return [service.upload(uow, collection, f"{number}.{ending}", copy.text.encode()).document_id]
    lines = [
        json.dumps({"_id": each.passage_id, "title": each.heading, "text": each.text}, ensure_ascii=False)
        for each in copy.passages
    ]
    return [one.document_id for one in service.upload_passages(uow, collection, "\n".join(lines).encode())]
