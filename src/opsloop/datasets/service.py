"""Register files as dataset versions, find them, read their rows."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from opsloop.core.caller import Caller, Role
from opsloop.core.db.holding import held_or_made
from opsloop.core.errors import AnswerIsNo, InvalidInput
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import holdouts, inspection, versions
from opsloop.datasets import snapshot as snapshots
from opsloop.datasets._tables import DatasetRow, DatasetVersionRow
from opsloop.datasets.errors import SnapshotGone
from opsloop.datasets.findings import ExpectationReport, PiiReport
from opsloop.datasets.formats import registry as formats
from opsloop.datasets.holdout import PARTS, digest_of, part_of
from opsloop.datasets.inspection import Inspection
from opsloop.datasets.models import Column, ColumnProfile, ColumnType, DatasetVersion, DatasetVersionId
from opsloop.datasets.snapshot import Snapshot
from opsloop.datasets.versions import LATEST, NAME

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,39}")


def register(
    uow: UnitOfWork,
    name: str,
    filename: str,
    data: bytes,
    *,
    tags: Sequence[str] = (),
    replace_holdout: str | None = None,
) -> DatasetVersion:
    """Keep a file's rows as a version; rows that the dataset has already are the version they were, tags added.

    The version registered last is what the bare name stands for. On SQLite other writers wait meanwhile: for large
    files make the snapshot first (`prepare`), then `register_snapshot`.

    Raises: InvalidInput, FileBroken naming file, line and column, DatasetTooLarge, ExtraNeeded.
    """
    uow.by.require(Role.DEVELOPER)
    check_name(name, tags)
    snapshot = prepare(uow.workspace, filename, data)
    return register_snapshot(uow, name, filename, snapshot, tags=tags, replace_holdout=replace_holdout)


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


def inspect(workspace: Workspace, caller: Caller, name: str, snapshot: Snapshot) -> Inspection:
    """Look at a snapshot for what is declared of its dataset, before the transaction that registers it.

    Refused rows are taken out of the artifact store, unless a version has them.
    Raises: ExpectationsNotMet, PersonalDataFound.
    """
    with workspace.reading(caller) as uow:
        found = inspection.inspect(uow, name, snapshot)
    try:
        inspection.admit(found, replace_holdout="later")
    except AnswerIsNo:
        with workspace.writing(caller) as uow:
            inspection.discard(uow, snapshot)
        raise
    return found


def register_snapshot(
    uow: UnitOfWork,
    name: str,
    filename: str,
    snapshot: Snapshot,
    *,
    tags: Sequence[str] = (),
    inspected: Inspection | None = None,
    replace_holdout: str | None = None,
    source: str | None = None,
) -> DatasetVersion:
    """The version of a snapshot that `prepare` made.

    Args:
        inspected: what `inspect` found; without it the snapshot is looked at here, while other writers wait.
        replace_holdout: why held out rows may change or go; put on record.
        source: where the rows are from, exactly; default: the file's name.
    Raises: ExpectationsNotMet, PersonalDataFound, HoldoutChanged where the dataset's policy refuses what was found.
    """
    uow.by.require(Role.DEVELOPER)
    check_name(name, tags)
    if inspected is None or not inspection.is_current(uow, inspected):
        inspected = inspection.inspect(uow, name, snapshot)
    inspection.admit(inspected, replace_holdout=replace_holdout)
    dataset = _locked(uow, name)
    if not uow.artifacts.exists(snapshot.artifact):
        raise SnapshotGone(dataset=name)
    row = uow.session.scalar(
        select(DatasetVersionRow).where(DatasetVersionRow.name == name, DatasetVersionRow.digest == snapshot.digest)
    )
    if row is None:
        dataset.versions += 1
        row = _new_row(uow, dataset, source or formats.base_name(filename), snapshot)
        uow.session.add(row)
        uow.audit("dataset.registered", f"dataset/{name}@{row.version}", digest=snapshot.digest, rows=snapshot.rows)
    row.tags = sorted({*row.tags, *tags})
    row.findings = inspected.stored()
    versions.note_current(uow, dataset, row.version)
    uow.session.flush()
    if inspected.lost and replace_holdout:
        holdouts.move(uow, name, row.version, reason=replace_holdout, lost=len(inspected.lost))
    return _version(row)


def get(uow: UnitOfWork, ref: str) -> DatasetVersion:
    """The version a text names.

    `golden@3`, `golden@TAG` (the newest with it), `golden` (the one registered last), `golden@2026-11-20` (the one that
    was the current one when that day ended, UTC) or `golden@2026-11-20T10:00:00Z` (at that instant). `/holdout` or
    `/dev` at its end names a part of its rows, once some are held out.

    Raises: DatasetMissing naming the nearest known name; InvalidInput for a day that there is not, or a part that is
        none.
    """
    whole, _, part = ref.partition("/")
    version = _whole(uow, whole)
    if part == "" and whole == ref:
        return version
    if part not in PARTS or not version.parts:
        raise InvalidInput(field="part", value=ref, wanted=_parts_wanted(version))
    holdout = holdouts.get(uow, version.name)
    assert holdout is not None
    digest = digest_of(version.digest, holdout, part)
    return replace(version, part=part, rows=version.parts[part], digest=digest)


def _parts_wanted(version: DatasetVersion) -> str:
    if version.parts:
        return " or ".join(f"{version.ref}/{part}" for part in PARTS)
    return f"no part: none of its rows is held out; `opsloop data freeze {version.ref} --holdout 0.2` does that"


def _whole(uow: UnitOfWork, ref: str) -> DatasetVersion:
    uow.by.require(Role.VIEWER)
    version = _version(versions.named(uow, ref))
    holdout = holdouts.get(uow, version.name)
    return version if holdout is None else replace(version, parts=holdouts.parts(uow, version, holdout))


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
    """The rows in order, exactly as they were registered; of a part, its rows. Raises: ArtifactMissing, ExtraNeeded."""
    uow.by.require(Role.VIEWER)
    if version.part:
        held = holdouts.get(uow, version.name)
        assert held is not None
        found = part_of(snapshots.read(uow.workspace, version.artifact, version.schema), held, version.part)
        return islice(found, offset, None if limit is None else offset + limit)
    return snapshots.read(uow.workspace, version.artifact, version.schema, offset=offset, limit=limit)


def keep_expectations(uow: UnitOfWork, version: DatasetVersion, report: ExpectationReport) -> None:
    """Keep how a version fared under its dataset's expectations."""
    uow.by.require(Role.DEVELOPER)
    row = uow.session.get_one(DatasetVersionRow, version.id)
    row.findings = {**(row.findings or {}), "expectations": asdict(report)}


def tag(uow: UnitOfWork, ref: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> DatasetVersion:
    """Put tags on a version and take others off; nothing else of a version ever changes.

    Raises: DatasetMissing, InvalidInput for a tag that cannot be one, or that is to be taken off and is not there.
    """
    uow.by.require(Role.DEVELOPER)
    row = versions.named(uow, ref)
    check_name(row.name, add)
    _locked(uow, row.name)
    uow.session.refresh(row)
    for each in remove:
        if each not in row.tags:
            known = ", ".join(row.tags) or "none"
            raise InvalidInput(field="tag", value=each, wanted=f"a tag of {row.name}@{row.version}, which has {known}")
    tags = sorted({*row.tags, *add} - set(remove))
    if tags != row.tags:
        row.tags = tags
        uow.audit("dataset.tagged", f"dataset/{row.name}@{row.version}", added=sorted(add), removed=sorted(remove))
        uow.session.flush()
    return _version(row)


def check_name(name: str, tags: Sequence[str] = ()) -> None:
    """Raises: InvalidInput."""
    if not NAME.fullmatch(name):
        wanted = "up to 80 letters, digits and ._-, a letter or digit first"
        raise InvalidInput(field="dataset name", value=name, wanted=wanted)
    for tag in tags:
        if not _TAG.fullmatch(tag) or tag == LATEST:
            wanted = f"up to 40 letters, digits and ._-, a letter first, and not {LATEST}"
            raise InvalidInput(field="tag", value=tag, wanted=wanted)


def hold(uow: UnitOfWork, name: str) -> None:
    """Let nobody else register a version of the dataset until this transaction ends."""
    uow.by.require(Role.DEVELOPER)
    check_name(name)
    _locked(uow, name)


def make_current(uow: UnitOfWork, ref: str) -> DatasetVersion:
    """Let the bare name stand for a version that is there already. Raises: DatasetMissing."""
    uow.by.require(Role.DEVELOPER)
    row = versions.named(uow, ref)
    dataset = _locked(uow, row.name)
    if dataset.current != row.version:
        uow.audit("dataset.current", f"dataset/{row.name}@{row.version}", before=dataset.current)
        versions.note_current(uow, dataset, row.version)
        uow.session.flush()
    return _version(row)


def _new_row(uow: UnitOfWork, dataset: DatasetRow, source: str, snapshot: Snapshot) -> DatasetVersionRow:
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
        findings=None,
        source=source,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )


def _locked(uow: UnitOfWork, name: str) -> DatasetRow:
    """The row of a dataset, held by this transaction; made when there is none."""
    made = DatasetRow(name=name, current=0, versions=0, created_at=uow.clock.now(), created_by=uow.by.name)
    return held_or_made(uow.session, made, name)


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
        profile=tuple(msgspec.convert(row.profile, list[ColumnProfile])),
        tags=tuple(row.tags),
        source=row.source,
        created_at=row.created_at,
        created_by=row.created_by,
        expectations=msgspec.convert((row.findings or {}).get("expectations"), ExpectationReport | None),
        pii=msgspec.convert((row.findings or {}).get("pii"), PiiReport | None),
    )
