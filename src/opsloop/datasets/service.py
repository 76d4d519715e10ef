"""Register files as dataset versions, find them, read their rows."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import snapshot as snapshots
from opsloop.datasets._tables import DatasetRow, DatasetVersionRow
from opsloop.datasets.errors import DatasetMissing
from opsloop.datasets.models import Column, ColumnProfile, ColumnType, DatasetVersion, DatasetVersionId
from opsloop.datasets.snapshot import Snapshot

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,39}")
LATEST = "latest"


def register(uow: UnitOfWork, name: str, filename: str, data: bytes, *, tags: Sequence[str] = ()) -> DatasetVersion:
    """Keep a file's rows as a version; rows that the dataset has already are the version they were, tags added.

    The version registered last is what the bare name stands for. On SQLite other writers wait meanwhile: for large
    files make the snapshot first (`prepare`), then `register_snapshot`.

    Raises: InvalidInput, FileBroken naming file, line and column, DatasetTooLarge, ExtraNeeded.
    """
    uow.by.require(Role.DEVELOPER)
    check_name(name, tags)
    return register_snapshot(uow, name, filename, prepare(uow.workspace, filename, data), tags=tags)


def prepare(workspace: Workspace, filename: str, data: bytes) -> Snapshot:
    """`prepare_file` for bytes in memory."""
    with tempfile.NamedTemporaryFile(prefix="opsloop-dataset-") as file:
        file.write(data)
        file.flush()
        return prepare_file(workspace, Path(file.name), filename)


def prepare_file(workspace: Workspace, path: Path, filename: str = "") -> Snapshot:
    """Read a file and put its snapshot into the artifact store; no version is there yet, so nothing is half visible.

    Args:
        filename: its name, whose ending tells the format; default: that of the path.
    Raises: InvalidInput, FileBroken naming file, line and column, DatasetTooLarge, ExtraNeeded.
    """
    return snapshots.of_file(workspace, path, filename)


def register_snapshot(
    uow: UnitOfWork, name: str, filename: str, snapshot: Snapshot, *, tags: Sequence[str] = ()
) -> DatasetVersion:
    """The version of a snapshot that `prepare` made."""
    uow.by.require(Role.DEVELOPER)
    check_name(name, tags)
    dataset = _locked(uow, name)
    row = uow.session.scalar(
        select(DatasetVersionRow).where(DatasetVersionRow.name == name, DatasetVersionRow.digest == snapshot.digest)
    )
    if row is None:
        dataset.versions += 1
        row = _new_row(uow, dataset, filename, snapshot)
        uow.session.add(row)
        uow.audit("dataset.registered", f"dataset/{name}@{row.version}", digest=snapshot.digest, rows=snapshot.rows)
    row.tags = sorted({*row.tags, *tags})
    dataset.current = row.version
    uow.session.flush()
    return _version(row)


def get(uow: UnitOfWork, ref: str) -> DatasetVersion:
    """The version a text names: `golden@3`, `golden@TAG` (the newest with it), or `golden` (the one registered last).

    Raises: DatasetMissing naming the nearest known name.
    """
    uow.by.require(Role.VIEWER)
    name, _, which = ref.partition("@")
    if not _NAME.fullmatch(name):
        raise _missing(uow, ref, name)
    query = select(DatasetVersionRow).where(DatasetVersionRow.name == name)
    if which in ("", LATEST):
        query = query.join(DatasetRow, DatasetRow.name == DatasetVersionRow.name)
        row = uow.session.scalar(query.where(DatasetVersionRow.version == DatasetRow.current))
    elif which.isdecimal():
        row = uow.session.scalar(query.where(DatasetVersionRow.version == min(int(which[:10]), 2**31 - 1)))
    else:
        newest_first = uow.session.scalars(query.order_by(DatasetVersionRow.version.desc()))
        row = next((each for each in newest_first if which in each.tags), None)
    if row is None:
        raise _missing(uow, ref, name)
    return _version(row)


def listed(uow: UnitOfWork, *, name: str | None = None, limit: int = 200) -> list[DatasetVersion]:
    """The current version of every dataset by name; with a name all versions of that dataset, newest first."""
    uow.by.require(Role.VIEWER)
    query = select(DatasetVersionRow).join(DatasetRow, DatasetRow.name == DatasetVersionRow.name)
    if name is None:
        query = query.where(DatasetVersionRow.version == DatasetRow.current).order_by(DatasetVersionRow.name)
    else:
        query = query.where(DatasetVersionRow.name == name).order_by(DatasetVersionRow.version.desc())
    return [_version(row) for row in uow.session.scalars(query.limit(min(limit, 1_000)))]


def rows(
    uow: UnitOfWork, version: DatasetVersion, *, offset: int = 0, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """The rows in order, exactly as they were registered. Raises: ArtifactMissing, ExtraNeeded."""
    uow.by.require(Role.VIEWER)
    return snapshots.read(uow.workspace, version.artifact, version.schema, offset=offset, limit=limit)


def check_name(name: str, tags: Sequence[str] = ()) -> None:
    """Raises: InvalidInput."""
    if not _NAME.fullmatch(name):
        wanted = "up to 80 letters, digits and ._-, a letter or digit first"
        raise InvalidInput(field="dataset name", value=name, wanted=wanted)
    for tag in tags:
        if not _TAG.fullmatch(tag) or tag == LATEST:
            wanted = f"up to 40 letters, digits and ._-, a letter first, and not {LATEST}"
            raise InvalidInput(field="tag", value=tag, wanted=wanted)


def _new_row(uow: UnitOfWork, dataset: DatasetRow, filename: str, snapshot: Snapshot) -> DatasetVersionRow:
    return DatasetVersionRow(
        id=uow.ids.new("dataset"),
        name=dataset.name,
        version=dataset.versions,
        digest=snapshot.digest,
        artifact=snapshot.artifact,
        rows=snapshot.rows,
        size_bytes=snapshot.size_bytes,
        columns=[asdict(column) for column in snapshot.columns],
        profile=[asdict(each) for each in snapshot.profile],
        tags=[],
        source=PurePosixPath(filename.replace("\\", "/")).name,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )


def _locked(uow: UnitOfWork, name: str) -> DatasetRow:
    """The row of a dataset, held by this transaction; made when there is none."""
    if (row := uow.session.get(DatasetRow, name, with_for_update=True)) is not None:
        return row
    try:
        with uow.session.begin_nested():
            row = DatasetRow(name=name, current=0, versions=0, created_at=uow.clock.now(), created_by=uow.by.name)
            uow.session.add(row)
        return row
    except IntegrityError:  # PostgreSQL: another transaction made it meanwhile
        return uow.session.get_one(DatasetRow, name, with_for_update=True)


def _missing(uow: UnitOfWork, ref: str, name: str) -> DatasetMissing:
    known = uow.session.scalars(select(DatasetRow.name).limit(1_000)).all()
    close = [] if name in known else get_close_matches(name, known, n=1)
    near = f"; did you mean {close[0]!r}?" if close else ""
    return DatasetMissing(noun="dataset", name=ref, bare=name, near=near)


def _version(row: DatasetVersionRow) -> DatasetVersion:
    return DatasetVersion(
        id=DatasetVersionId(row.id),
        name=row.name,
        version=row.version,
        digest=row.digest,
        artifact=row.artifact,
        rows=row.rows,
        size_bytes=row.size_bytes,
        schema=tuple(Column(each["name"], ColumnType(each["type"])) for each in row.columns),
        profile=tuple(ColumnProfile(**each) for each in row.profile),
        tags=tuple(row.tags),
        source=row.source,
        created_at=row.created_at,
        created_by=row.created_by,
    )
