"""What a store is to hold of a collection, and the jobs that bring it there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.rag._tables import CollectionRow
from opsloop.rag.models import EMBEDDED

COPY = "rag.copy"
DROP = "rag.drop"


def is_elsewhere(row: CollectionRow) -> bool:
    """Whether the collection is searched in a store that keeps a copy."""
    return row.store is not None and row.store != EMBEDDED


def is_copied(row: CollectionRow, space: str | None) -> bool:
    """Whether the store of a collection holds what the database says. Args: space: of its vectors."""
    return not is_elsewhere(row) or row.store_holds == content(row.lineage, row.revision, space)


def content(lineage: str | None, revision: int, space: str | None) -> str:
    """Names what a collection holds, vectors included; the same name is the same content."""
    return f"{lineage}:{revision}:{space}"


def state(
    lineage: str | None,
    space: str | None,
    revision: int | None,
    *,
    sha256_: str,
    filename: str,
    metadata: Mapping[str, str],
) -> str:
    """Names one content of a document: how it was cut, its vectors' space, and what is kept beside the text."""
    told = [lineage, space, revision, sha256_, filename, sorted(metadata.items())]
    return sha256(json.dumps(told).encode()).hexdigest()[:32]


def ask_for_copy(uow: UnitOfWork, row: CollectionRow) -> None:
    """Have a job bring the collection's store up to date once this transaction is committed."""
    if is_elsewhere(row):
        jobs.enqueue(uow, COPY, {"collection": row.name})


def ask_for_dropping(uow: UnitOfWork, row: CollectionRow) -> None:
    """Have a job take a collection that was deleted out of its store."""
    if is_elsewhere(row):
        jobs.enqueue(uow, DROP, {"collection": row.name, "store": row.store})
