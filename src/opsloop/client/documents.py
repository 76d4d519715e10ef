"""Collections of documents, searching them and answers from them."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.client.decode import convert, decode
from opsloop.core.errors import Conflict, StillPending
from opsloop.rag.ingests.models import Given, Ingest, Item, Named
from opsloop.rag.models import Answer, Collection, CollectionStats, Document, Passage, Removed, Uploaded

AT = "/api/collections"
PAGE = 500
POLL_S = 0.2
# The offline embedder is fitted while the request waits.
FITTING_S = 3_600.0
Filters = Mapping[str, str | Sequence[str]]


class IngestGoesOn(StillPending):
    template = "ingest {ingest} goes on; look again with `opsloop rag ingests {collection} {ingest}`"


class ReindexGoesOn(StillPending):
    template = "collection {collection} is being re-indexed; `opsloop rag stats {collection}` tells how far it is"


class ReindexFailed(Conflict):
    template = "collection {collection!r} stays as it was, for it could not be re-indexed with {embedder}: {reason}"


class Documents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def collections(self) -> list[Collection]:
        return self._connection.items(AT, Collection)

    def stats(self, collection: str) -> CollectionStats:
        return self._connection.get(path("api", "collections", collection), CollectionStats)

    def create(
        self, collection: str, *, chunking: str | None = None, embedder: str | None = None, store: str | None = None
    ) -> Collection:
        """Make a collection; what is None is as the installation's settings say."""
        given = {"chunking": chunking, "embedder": embedder, "store": store}
        body = {"name": collection} | {key: value for key, value in given.items() if value is not None}
        return self._connection.post(AT, Collection, body=body)

    def change(self, collection: str, **values: str | float | None) -> Collection:
        """Set its `chunking`, `vector_weight` or `min_support`; None: the usual. Texts are cut anew at once."""
        return self._connection.patch(path("api", "collections", collection), Collection, body=values)

    def reindex(
        self,
        collection: str,
        *,
        embedder: str | None = None,
        timeout_s: float | None = None,
        tell: Callable[[int, int], None] = lambda done, total: None,
    ) -> CollectionStats:
        """Make all vectors anew, and wait until they serve; None: with the collection's own embedder.

        Args:
            tell: called with how many vectors are made, of how many.
        Raises: ReindexGoesOn when `timeout_s` ended first; ReindexFailed with the platform's reason.
        """
        at = path("api", "collections", collection, "reindex")
        found = self._connection.post(at, CollectionStats, body={"embedder": embedder}, timeout_s=FITTING_S)
        until_s = None if timeout_s is None else time.monotonic() + timeout_s
        while (on_its_way := found.changeover) is not None:
            if on_its_way.error is not None:
                raise ReindexFailed(collection=collection, embedder=on_its_way.embedder, reason=on_its_way.error)
            tell(on_its_way.done, on_its_way.total)
            if until_s is not None and time.monotonic() >= until_s:
                raise ReindexGoesOn(collection=collection)
            time.sleep(POLL_S)
            found = self.stats(collection)
        return found

    def upload(
        self, collection: str, filename: str, data: bytes, *, metadata: Mapping[str, str] | None = None
    ) -> Uploaded:
        """One document, as the bytes of its file; the same bytes again are the document they were."""
        body = {
            "filename": filename,
            "content_base64": base64.b64encode(data).decode(),
            "collection": collection,
            "metadata": dict(metadata or {}),
        }
        return self._connection.post("/upload", Uploaded, body=body)

    def upload_passages(self, collection: str, data: bytes) -> list[Uploaded]:
        """JSON lines of ready passages, `{"_id", "title", "text"}`; one document per source."""
        at = path("api", "collections", collection, "passages")
        answer = self._connection.post(at, dict[str, Any], data=data)
        return convert(answer["items"], list[Uploaded], where=at)

    def listed(self, collection: str) -> list[Document]:
        at = path("api", "collections", collection, "documents")
        return self._connection.all_items(at, Document, cursor="after", limit=PAGE)

    def query(
        self,
        collection: str,
        question: str,
        *,
        top_k: int | None = None,
        filters: Filters | None = None,
        generate: bool | None = None,
        history: Sequence[Mapping[str, str]] = (),
    ) -> Answer:
        """An answer whose citations are exact quotations, or an abstention.

        Args:
            generate: whether a model writes the answer; None: when one is set.
            history: the conversation so far, `{"role": "user", "content": "…"}`, oldest first.
        """
        asked = _asked(question, top_k, filters) | {"collection": collection, "generate": generate}
        return self._connection.post("/query", Answer, body={**asked, "history": list(history)})

    def search(
        self, collection: str, question: str, *, top_k: int | None = None, filters: Filters | None = None
    ) -> list[Passage]:
        """The chunks that match a question best, the best first."""
        at = path("api", "collections", collection, "search")
        answer = self._connection.post(at, dict[str, Any], body=_asked(question, top_k, filters))
        return convert(answer["items"], list[Passage], where=at)

    def delete(self, collection: str, document: str) -> Removed:
        """Delete a document with everything that was kept of it; says what was removed."""
        at = path("api", "collections", collection, "documents", document)
        return decode(self._connection.delete(at), Removed, where=at)

    def delete_collection(self, collection: str) -> Removed:
        at = path("api", "collections", collection)
        return decode(self._connection.delete(at), Removed, where=at)

    def ingest(self, collection: str, documents: Sequence[Given | Named], *, into: str | None = None) -> Ingest:
        """Send many documents, or URLs of them, which a job of the platform stores.

        Args:
            into: an ingest that they belong to as well.
        """
        body = {"documents": [_sent(each) for each in documents]}
        at = path("api", "collections", collection, "ingests", *((into, "documents") if into is not None else ()))
        return self._connection.post(at, Ingest, body=body)

    def ingests(self, collection: str, *, limit: int = 100) -> list[Ingest]:
        """The newest first."""
        return self._connection.items(path("api", "collections", collection, "ingests"), Ingest, limit=limit)

    def ingest_of(self, collection: str, ingest: str) -> Ingest:
        return self._connection.get(path("api", "collections", collection, "ingests", ingest), Ingest)

    def ingested(self, collection: str, ingest: str, *, state: str | None = None) -> list[Item]:
        """What became of each document of an ingest."""
        at = path("api", "collections", collection, "ingests", ingest, "documents")
        return self._connection.all_items(at, Item, cursor="after", limit=PAGE, state=state)

    def wait_for_ingest(
        self,
        collection: str,
        ingest: str,
        *,
        timeout_s: float | None = None,
        tell: Callable[[Ingest], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> Ingest:
        """Wait until no document waits. Raises: IngestGoesOn when `timeout_s` ended first."""
        until_s = None if timeout_s is None else time.monotonic() + timeout_s
        while not (found := self.ingest_of(collection, ingest)).is_over:
            tell(found)
            if until_s is not None and time.monotonic() >= until_s:
                raise IngestGoesOn(collection=collection, ingest=ingest)
            pause(POLL_S)
        tell(found)
        return found

    def give_access(
        self, collection: str, *, readers: Sequence[str] | None, writers: Sequence[str] | None
    ) -> Collection:
        """Set who may read and who may change a collection; None: whoever has the role for it."""
        body = {"readers": readers, "writers": writers}
        return self._connection.put(path("api", "collections", collection, "access"), Collection, body=body)

    def retain(self, collection: str, days: int | None) -> Collection:
        """Set the age in days at which documents are deleted; None keeps them."""
        return self._connection.put(
            path("api", "collections", collection, "retention"), Collection, body={"days": days}
        )


def _sent(given: Given | Named) -> dict[str, Any]:
    if isinstance(given, Named):
        name = {} if given.filename is None else {"filename": given.filename}
        return {"url": given.url, "metadata": dict(given.metadata), **name}
    encoded = base64.b64encode(given.data).decode()
    return {"filename": given.filename, "content_base64": encoded, "metadata": dict(given.metadata)}


def _asked(question: str, top_k: int | None, filters: Filters | None) -> dict[str, Any]:
    asked: dict[str, Any] = {"question": question, "filters": dict(filters or {})}
    return asked if top_k is None else asked | {"top_k": top_k}
