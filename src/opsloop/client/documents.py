"""Collections of documents, searching them and answers from them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.client.decode import convert
from opsloop.rag.models import Answer, Collection, CollectionStats, Document, Passage, Uploaded

AT = "/api/collections"
PAGE = 500
Filters = Mapping[str, str | Sequence[str]]


class Documents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def collections(self) -> list[Collection]:
        return self._connection.items(AT, Collection)

    def stats(self, collection: str) -> CollectionStats:
        return self._connection.get(path("api", "collections", collection), CollectionStats)

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

    def delete(self, collection: str, document: str) -> None:
        self._connection.delete(path("api", "collections", collection, "documents", document))

    def delete_collection(self, collection: str) -> None:
        self._connection.delete(path("api", "collections", collection))


def _asked(question: str, top_k: int | None, filters: Filters | None) -> dict[str, Any]:
    asked: dict[str, Any] = {"question": question, "filters": dict(filters or {})}
    return asked if top_k is None else asked | {"top_k": top_k}
