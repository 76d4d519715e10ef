"""A passage of a document, for tests of what is made of passages."""

from __future__ import annotations

from opsloop.rag.models import DocumentId, Passage


def passage(text: str, *, start: int = 0, document: str = "doc_1", heading: str = "", score: float = 1.0) -> Passage:
    return Passage(
        document_id=DocumentId(document),
        filename=f"{document}.md",
        chunk=0,
        passage_id=None,
        heading=heading,
        text=text,
        start=start,
        end=start + len(text),
        window_start=start,
        window_end=start + len(text),
        score=score,
        similarity=0.0,
    )
