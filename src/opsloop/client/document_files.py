"""Files and folders of this machine, and URLs, as documents of one ingest, sent some at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opsloop.client.documents import Documents
from opsloop.core.errors import Failed, InvalidInput, TooLarge
from opsloop.rag.ingests.models import Given, Ingest, ItemState, Named

SENT_AT_ONCE = 200
SENT_BYTES = 5_000_000
"""Base64 makes a third more of it; a server takes bodies of 16 MB by default."""
URLS_AT_ONCE = 4
"""The server answers when it has fetched them."""


class NoFiles(InvalidInput):
    template = "{folder} holds no file to upload{hint}"


class DocumentsRefused(Failed):
    template = "{refused} of {documents} documents were refused; the first: {reason}"


@dataclass(frozen=True, slots=True)
class Refused:
    filename: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending files: the ingest, None when none was taken, and what was refused of them."""

    ingest: Ingest | None
    refused: tuple[Refused, ...] = field(default=())

    def checked(self) -> None:
        """Raises: DocumentsRefused when there are any."""
        if self.refused:
            count = len(self.refused)
            documents = max(count, self.ingest.documents if self.ingest is not None else 0)
            raise DocumentsRefused(refused=count, documents=documents, reason=self.refused[0].reason)


@dataclass(frozen=True, slots=True)
class Source:
    """A file, and where it lies in the folder that was named."""

    file: Path
    inside: str

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def size_bytes(self) -> int:
        return self.file.stat().st_size

    def given(self) -> Given:
        metadata = {"path": self.inside} if self.inside != self.file.name else {}
        return Given(self.file.name, self.file.read_bytes(), metadata)


@dataclass(frozen=True, slots=True)
class Address:
    """A URL that the platform fetches itself."""

    url: str
    size_bytes: int = 0

    @property
    def name(self) -> str:
        return self.url

    def given(self) -> Named:
        return Named(self.url)


def sources(paths: Sequence[Path], *, recursive: bool) -> list[Source]:
    """The files that are named, and those of the folders that are named; hidden ones are left out.

    Raises: NoFiles for a folder without any.
    """
    return [found for path in paths for found in (_of_folder(path, recursive) if path.is_dir() else [_of_file(path)])]


def _of_file(path: Path) -> Source:
    return Source(path, path.name)


def _of_folder(folder: Path, recursive: bool) -> list[Source]:
    files = sorted(path for path in (folder.rglob("*") if recursive else folder.iterdir()) if path.is_file())
    found = [Source(path, path.relative_to(folder).as_posix()) for path in files if not _is_hidden(path, folder)]
    if not found:
        hint = "" if recursive else "; its folders are looked at with --recursive"
        raise NoFiles(folder=folder, hint=hint)
    return found


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def upload(
    documents: Documents, collection: str, found: Sequence[Source | Address], *, tell: Callable[[int, int, str], None]
) -> Sent:
    """Send files and URLs as one ingest and wait until each is stored or refused; `tell` hears how far it is."""
    ingest: Ingest | None = None
    refused: list[Refused] = []
    for batch in _batches(found):
        try:
            ingest = documents.ingest(collection, [each.given() for each in batch], into=ingest.id if ingest else None)
        except TooLarge as error:
            if len(batch) > 1:
                raise
            refused.append(Refused(batch[0].name, f"{batch[0].name}: {error.sentence}"))
        if ingest is not None:
            tell(ingest.documents - ingest.waiting, len(found), batch[-1].name)
    if ingest is None:
        return Sent(None, tuple(refused))
    ingest = documents.wait_for_ingest(
        collection, ingest.id, tell=lambda seen: tell(len(found) - seen.waiting, len(found), "storing")
    )
    if ingest.refused:
        items = documents.ingested(collection, ingest.id, state=ItemState.REFUSED)
        refused += [Refused(each.filename, each.reason or "") for each in items]
    return Sent(ingest, tuple(refused))


def _batches(found: Sequence[Source | Address]) -> Iterator[list[Source | Address]]:
    batch: list[Source | Address] = []
    size_bytes = urls = 0
    for each in found:
        its_bytes, is_url = each.size_bytes, isinstance(each, Address)
        is_full = len(batch) == SENT_AT_ONCE or size_bytes + its_bytes > SENT_BYTES or urls + is_url > URLS_AT_ONCE
        if batch and is_full:
            yield batch
            batch, size_bytes, urls = [], 0, 0
        batch.append(each)
        size_bytes += its_bytes
        urls += is_url
    if batch:
        yield batch
