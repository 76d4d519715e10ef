"""What can be set about documents."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section
from opsloop.rag.models import LSA

EMBEDDER = r"^(lsa|onnx:.+|openai:.+)$"


class RagSettings(Section):
    rag_embedder: str = Field(
        LSA,
        pattern=EMBEDDER,
        description="Embedder of new collections: lsa (offline), onnx:FOLDER with model.onnx and tokenizer.json, "
        "or openai:MODEL of the model server.",
    )
    rag_cache_bytes: int = Field(
        500_000_000, gt=0, description="Memory for search indexes of collections in one process, in bytes."
    )
    rag_document_limit_bytes: int = Field(10_000_000, gt=0, description="Largest document that is taken in, in bytes.")
    rag_generate: bool = Field(
        True, description="Whether the model that is set writes answers when a question does not say, true or false."
    )
    rag_generate_timeout_s: float = Field(
        30.0, gt=0, le=600, description="Longest time for a model's answer, in seconds; then passages are quoted."
    )
