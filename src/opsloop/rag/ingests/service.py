"""Take many documents in: what was acknowledged is stored, once, however often the process dies meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput, TooLarge
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag._rows import collection_row
from opsloop.rag.collections import row_or_new
from opsloop.rag.documents.storing import check_size
from opsloop.rag.ingests import staging
from opsloop.rag.ingests._tables import IngestRow, ItemRow
from opsloop.rag.ingests.models import Given, Ingest, IngestId, IngestMissing, Item, ItemState
from opsloop.rag.models import CollectionName, DocumentId
from opsloop.rag.parsing import pieces

KIND = "rag.ingest"
MAX_DOCUMENTS = 1_000


@dataclass(frozen=True, slots=True)
class _Checked:
    """A document and why it is refused unread, if it is."""

    given: Given
    refused: str | None


def take_in(
    workspace: Workspace, by: Caller, collection: str, documents: Sequence[Given], *, into: str | None = None
) -> Ingest:
    """Stage documents and ask for the job that stores them; when this returns, they survive the process.

    The collection is made when it is not there. This opens transactions of its own, because bytes are staged between
    them, which may take long.

    Args:
        into: an ingest that these documents belong to as well; None for a new one.
    Raises: InvalidInput when there are none or too many; IngestMissing.
    """
    by.require(Role.DEVELOPER)
    if not 1 <= len(documents) <= MAX_DOCUMENTS:
        raise InvalidInput(field="documents", value=len(documents), wanted=f"1 to {MAX_DOCUMENTS} documents a request")
    checked = [_Checked(each, _refusal(workspace, each)) for each in documents]
    with workspace.writing(by) as uow:
        ingest = into if into is not None else _new(uow, collection)
        first = numbered(uow, collection, ingest, len(documents))
    by_number = list(enumerate(checked, first))
    for number, each in by_number:
        if each.refused is None:
            workspace.artifacts.put(staging.key(ingest, number), each.given.data)
    with workspace.writing(by) as uow:
        _row(uow, collection, ingest)
        uow.session.add_all([_item(ingest, collection, number, each) for number, each in by_number])
        for each in checked:
            _record(uow, collection, ingest, each)
        jobs.enqueue(uow, KIND, {"ingest": ingest, "first": first, "count": len(documents)})
        uow.session.flush()
        return _ingest(uow, collection, ingest)


def _refusal(workspace: Workspace, given: Given) -> str | None:
    if given.refused is not None:
        return given.refused
    try:
        pieces.checked_filename(given.filename)
        pieces.checked_metadata(given.metadata)
        check_size(workspace, given.filename, len(given.data))
    except (InvalidInput, TooLarge) as error:
        return error.sentence
    return None


def _record(uow: UnitOfWork, collection: str, ingest: str, checked: _Checked) -> None:
    """A request that this machine made because somebody named a URL is on the record, also when nothing came."""
    given = checked.given
    if given.url is None:
        return
    target, found = f"collection/{collection}", {"url": given.url, "ingest": ingest}
    if checked.refused is not None:
        uow.audit("document.not_fetched", target, **found, reason=checked.refused)
    else:
        uow.audit("document.fetched", target, **found, filename=given.filename, sha256=sha256_hex(given.data))


def _new(uow: UnitOfWork, collection: str) -> str:
    row_or_new(uow, collection)
    row = IngestRow(
        id=uow.ids.new("ingest"), collection=collection, numbers=0, created_at=uow.clock.now(), created_by=uow.by.name
    )
    uow.session.add(row)
    uow.session.flush()
    return row.id


def numbered(uow: UnitOfWork, collection: str, ingest: str, count: int) -> int:
    """Give out numbers for documents of an ingest, before their bytes are staged under them; returns the first."""
    collection_row(uow, collection, for_change=True)
    row = _row(uow, collection, ingest, for_change=True)
    first = row.numbers
    row.numbers += count
    return first


def _row(uow: UnitOfWork, collection: str, ingest: str, *, for_change: bool = False) -> IngestRow:
    row = uow.session.get(IngestRow, ingest, with_for_update=for_change or None)
    if row is None or row.collection != collection:
        raise IngestMissing(collection=collection, ingest=ingest)
    return row


def _item(ingest: str, collection: str, number: int, checked: _Checked) -> ItemRow:
    given = checked.given
    return ItemRow(
        ingest=ingest,
        number=number,
        collection=collection,
        filename=_shown(given.filename),
        sha256=sha256_hex(given.data),
        size_bytes=len(given.data),
        metadata_=dict(given.metadata) if checked.refused is None else {},
        state=ItemState.WAITING if checked.refused is None else ItemState.REFUSED,
        reason=checked.refused,
        document_id=None,
    )


def _shown(filename: str) -> str:
    """A name as it can be stored, whatever was sent as one."""
    plain = filename.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return plain[: pieces.MAX_FILENAME]


def get(uow: UnitOfWork, collection: str, ingest: str) -> Ingest:
    """Raises: CollectionMissing, IngestMissing."""
    uow.by.require(Role.VIEWER)
    collection_row(uow, collection)
    return _ingest(uow, collection, ingest)


def listed(uow: UnitOfWork, collection: str, *, limit: int = 100) -> list[Ingest]:
    """The newest first. Raises: CollectionMissing."""
    uow.by.require(Role.VIEWER)
    collection_row(uow, collection)
    newest = select(IngestRow).where(IngestRow.collection == collection).order_by(IngestRow.id.desc())
    rows = uow.session.scalars(newest.limit(max(1, min(limit, 1_000)))).all()
    counts = _counts(uow, [row.id for row in rows])
    return [_told(row, counts.get(row.id, {})) for row in rows]


def items(
    uow: UnitOfWork,
    collection: str,
    ingest: str,
    *,
    state: ItemState | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[Item]:
    """Documents of an ingest in the order in which they were sent. Raises: CollectionMissing, IngestMissing."""
    uow.by.require(Role.VIEWER)
    collection_row(uow, collection)
    _row(uow, collection, ingest)
    chosen = select(ItemRow).where(ItemRow.ingest == ingest).order_by(ItemRow.number)
    if state is not None:
        chosen = chosen.where(ItemRow.state == state)
    if after is not None:
        chosen = chosen.where(ItemRow.number > after)
    return [_told_item(row) for row in uow.session.scalars(chosen.limit(max(1, min(limit, 1_000))))]


def _ingest(uow: UnitOfWork, collection: str, ingest: str) -> Ingest:
    row = _row(uow, collection, ingest)
    return _told(row, _counts(uow, [ingest]).get(ingest, {}))


def _counts(uow: UnitOfWork, ingests: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many documents of each ingest are in each state."""
    counted = (
        select(ItemRow.ingest, ItemRow.state, func.count())
        .where(ItemRow.ingest.in_(ingests))
        .group_by(ItemRow.ingest, ItemRow.state)
    )
    found: dict[str, dict[str, int]] = {}
    for ingest, state, count in uow.session.execute(counted).all():
        found.setdefault(ingest, {})[state] = count
    return found


def _told(row: IngestRow, counts: dict[str, int]) -> Ingest:
    by_state = {state.value: counts.get(state, 0) for state in ItemState}
    return Ingest(
        id=IngestId(row.id),
        collection=CollectionName(row.collection),
        documents=sum(by_state.values()),
        created_at=row.created_at,
        created_by=row.created_by,
        **by_state,
    )


def _told_item(row: ItemRow) -> Item:
    return Item(
        number=row.number,
        filename=row.filename,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        state=ItemState(row.state),
        reason=row.reason,
        document_id=DocumentId(row.document_id) if row.document_id is not None else None,
    )
