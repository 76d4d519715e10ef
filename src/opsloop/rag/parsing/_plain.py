"""Text and Markdown: as they stand."""

from __future__ import annotations

from opsloop.rag.parsing._decode import decoded


def text_of(data: bytes) -> str:
    return decoded(data)
