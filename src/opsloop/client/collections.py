"""A project's collection beside the platform's: what differs, and making it what is wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from opsloop.client.http import Client
from opsloop.client.project_collections import NAMES, SHARES, CollectionWanted
from opsloop.core.errors import Conflict
from opsloop.rag.models import Collection, Document
from opsloop.rag.parsing import pieces
from opsloop.rag.parsing.kinds import MEDIA_TYPES

PASSAGES = ".jsonl"
# As they are called in what is said of them.
_CALLED = {"vector_weight": "share of vectors", "min_support": "threshold", "retention_days": "retention"}


class StoreDiffers(Conflict):
    template = (
        "collection {collection!r} is searched in {has}, where the project wants {wanted}; take the key away, "
        "or delete the collection to make it anew"
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """What a collection lacks: hashes of documents, documents that are superseded, values that differ.

    `is_there` is False where the platform has no such collection.
    """

    is_there: bool
    documents: int
    missing: frozenset[str]
    superseded: tuple[Document, ...]
    differing: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return not self.is_there or bool(self.missing or self.superseded or self.differing)

    @property
    def says(self) -> str:
        if not self.is_there:
            return counted(self.documents, "document")
        if not self.differs:
            return f"{counted(self.documents, 'document')} as wanted"
        said = []
        if self.missing or self.superseded:
            said.append(f"{counted(len(self.missing), 'document')} new, {len(self.superseded)} superseded")
        if self.differing:
            said.append(f"gets other {' and '.join(_CALLED.get(each, each) for each in self.differing)}")
        return "; ".join(said)


@dataclass(frozen=True, slots=True)
class WantedDocument:
    """A document as a collection's source has it; `sha256` is what the platform will know it by."""

    filename: str
    sha256: str


def difference(client: Client, wanted: CollectionWanted) -> Difference:
    """Raises: StoreDiffers."""
    documents = wanted_documents(wanted.source)
    there = _there(client, wanted.name)
    if there is None:
        return Difference(False, len(documents), frozenset(documents), (), ())
    listed = client.documents.listed(wanted.name)
    return Difference(
        True,
        len(documents),
        frozenset(documents.keys() - {document.sha256 for document in listed}),
        tuple(superseded(listed, documents)),
        _differing(there, wanted),
    )


def bring(
    client: Client, wanted: CollectionWanted, *, tell: Callable[[int, int], None] = lambda done, total: None
) -> str:
    """Make a collection what is wanted; what came of its documents.

    Who may read it is said before there is anything to read. Raises: StoreDiffers, ReindexFailed.
    """
    there = _there(client, wanted.name)
    if there is None:
        new = {key: wanted.declared[key] for key in ("chunking", "embedder", "store") if key in wanted.declared}
        there = client.documents.create(wanted.name, **new)
    differing = _differing(there, wanted)
    if any(key in NAMES for key in differing):
        client.documents.give_access(
            wanted.name, **{key: wanted.declared.get(key, getattr(there, key)) for key in NAMES}
        )
    if "embedder" in differing:
        client.documents.reindex(wanted.name, embedder=wanted.declared["embedder"], tell=tell)
    if changed := {key: wanted.declared[key] for key in differing if key in ("chunking", *SHARES)}:
        client.documents.change(wanted.name, **changed)
    if "retention_days" in differing:
        client.documents.retain(wanted.name, wanted.declared["retention_days"])
    return _bring_documents(client, wanted)


def wanted_documents(source: Path) -> Mapping[str, WantedDocument]:
    """The documents of a collection's source, by hash."""
    if source.suffix.lower() == PASSAGES:
        parsed = pieces.parsed_passages(source.read_bytes())
        found = [WantedDocument(each.filename, _sha256(each.text.encode())) for each in parsed]
    else:
        found = [WantedDocument(file.name, _sha256(file.read_bytes())) for file in document_files(source)]
    return {document.sha256: document for document in found}


def document_files(source: Path) -> list[Path]:
    """The files of a source: itself, or those in the folder that documents are made of."""
    if source.is_file():
        return [source]
    return [file for file in sorted(source.iterdir()) if file.suffix.lower() in MEDIA_TYPES]


def superseded(documents: list[Document], wanted: Mapping[str, WantedDocument]) -> Iterator[Document]:
    """Documents under a wanted name with content that is not wanted any more; others are not the project's."""
    names = {document.filename for document in wanted.values()}
    return (each for each in documents if each.filename in names and each.sha256 not in wanted)


def counted(number: int, noun: str) -> str:
    """`1 document`, `2 documents`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _there(client: Client, name: str) -> Collection | None:
    return next((each for each in client.documents.collections() if each.name == name), None)


def _differing(there: Collection, wanted: CollectionWanted) -> tuple[str, ...]:
    if wanted.declared.get("store", there.store) != there.store:
        raise StoreDiffers(collection=wanted.name, has=there.store, wanted=wanted.declared["store"])
    return tuple(key for key, value in wanted.declared.items() if getattr(there, key) != value)


def _bring_documents(client: Client, wanted: CollectionWanted) -> str:
    if wanted.source.suffix.lower() == PASSAGES:
        uploaded = client.documents.upload_passages(wanted.name, wanted.source.read_bytes())
    else:
        files = document_files(wanted.source)
        uploaded = [client.documents.upload(wanted.name, file.name, file.read_bytes()) for file in files]
    stale = list(superseded(client.documents.listed(wanted.name), wanted_documents(wanted.source)))
    for document in stale:
        client.documents.delete(wanted.name, document.id)
    new = sum(not each.duplicate for each in uploaded)
    return f"{counted(new, 'document')} new, {len(stale)} superseded and deleted"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
