"""Documents that filters let through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Select, select

from opsloop.rag._tables import DocumentRow

Filters = Mapping[str, Sequence[str]]


def documents(collection: str, filters: Filters) -> Select[str]:
    """Ids of documents for which every filter names a value they have."""
    query = select(DocumentRow.id).where(DocumentRow.collection == collection)
    for key, values in filters.items():
        if key == "document_id":
            query = query.where(DocumentRow.id.in_(values))
        elif key == "filename":
            query = query.where(DocumentRow.filename.in_(values))
        else:
            query = query.where(DocumentRow.metadata_[key].as_string().in_(values))
    return query
