"""The verbs of this slice, for the surfaces that call them; each stands in the module of its noun."""

from __future__ import annotations

from opsloop.rag.answering.query import query
from opsloop.rag.answering.thresholds import abstain_below
from opsloop.rag.collections import collection, collections, create_collection, give_access, retain, stats, weigh
from opsloop.rag.deletion.deleting import delete_collection, delete_document, forget
from opsloop.rag.documents.recutting import recut
from opsloop.rag.documents.service import document, document_text, list_documents, passages_of
from opsloop.rag.documents.storing import DocumentTooLarge, take_in, upload, upload_passages
from opsloop.rag.searching.service import DEFAULT_TOP_K, MAX_QUESTION, MAX_TOP_K, Filters, find, search
from opsloop.rag.vectors.indexing import check_reachable, reindex

__all__ = [
    "DEFAULT_TOP_K",
    "MAX_QUESTION",
    "MAX_TOP_K",
    "DocumentTooLarge",
    "Filters",
    "abstain_below",
    "check_reachable",
    "collection",
    "collections",
    "create_collection",
    "delete_collection",
    "delete_document",
    "document",
    "document_text",
    "find",
    "forget",
    "give_access",
    "list_documents",
    "passages_of",
    "query",
    "recut",
    "reindex",
    "retain",
    "search",
    "stats",
    "take_in",
    "upload",
    "upload_passages",
    "weigh",
]
