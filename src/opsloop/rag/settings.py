"""What can be set about documents."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from opsloop.core.settings import Section
from opsloop.rag.models import EMBEDDED, LSA

EMBEDDER = r"^(lsa|onnx:.+|openai:.+)$"
STORE = r"^(embedded|pgvector|dynamodb|azure-search)$"
_IDENTIFIER = r"^[a-z_][a-z0-9_]{0,62}$"


class RagSettings(Section):
    rag_embedder: str = Field(
        LSA,
        pattern=EMBEDDER,
        description="Embedder of new collections: lsa (offline), onnx:FOLDER with model.onnx and tokenizer.json, "
        "or openai:MODEL of the model server.",
    )
    rag_store: str = Field(
        EMBEDDED,
        pattern=STORE,
        description="Store that searches new collections: embedded, pgvector, dynamodb or azure-search.",
    )
    rag_pgvector_url: str | None = Field(
        None,
        description="PostgreSQL with pgvector, as a SQLAlchemy URL; unset: the state database, if that is PostgreSQL.",
        repr=False,
    )
    rag_pgvector_schema: str = Field(
        "opsloop_passages",
        pattern=_IDENTIFIER,
        description="Schema there with a table per collection, as an identifier; one installation a schema.",
    )
    rag_dynamodb_table: str = Field(
        "opsloop-passages",
        pattern=r"^[a-zA-Z0-9_.-]{3,255}$",
        description="DynamoDB table of the store dynamodb, as its name; made when missing, one installation a table.",
    )
    rag_s3_bucket: str | None = Field(
        None, description="S3 bucket for documents of the store dynamodb, as its name; needed by that store."
    )
    rag_s3_prefix: str = Field("documents/", description="What the keys of objects there begin with, as text.")
    rag_azure_search_url: str | None = Field(
        None, pattern=r"^https?://", description="Azure AI Search service of the store azure-search, as its URL."
    )
    rag_azure_search_key: str | None = Field(None, description="Admin key of that service.", repr=False)
    rag_azure_search_prefix: str = Field(
        "opsloop-",
        pattern=r"^([a-z0-9]+-)*$",
        description="What the names of its indexes begin with, as text; one installation a prefix.",
    )
    rag_cache_bytes: int = Field(
        500_000_000, gt=0, description="Memory for search indexes of collections in one process, in bytes."
    )
    rag_document_limit_bytes: int = Field(10_000_000, gt=0, description="Largest document that is taken in, in bytes.")
    rag_urls: Literal["off", "public", "named"] = Field(
        "off",
        description="Which URLs documents are fetched from; public: of the public web, ports 80 and 443; "
        "named: of the hosts in OPSLOOP_RAG_URL_HOSTS alone, also in a private network.",
    )
    rag_url_hosts: str = Field(
        "",
        description="The only hosts that documents are fetched from, as names with commas, *.NAME for all below one, "
        "NAME:PORT for another port than 80 and 443; empty: any public one.",
    )
    rag_url_timeout_s: float = Field(
        20.0, gt=0, le=300, description="Longest time for fetching a document, redirects included, in seconds."
    )
    rag_generate: bool = Field(
        True, description="Whether the model that is set writes answers when a question does not say, true or false."
    )
    rag_generate_timeout_s: float = Field(
        30.0, gt=0, le=600, description="Longest time for a model's answer, in seconds; then passages are quoted."
    )
