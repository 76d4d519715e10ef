"""The registry: versions of models, and the aliases that point at them."""

from __future__ import annotations

import re
from difflib import get_close_matches

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.models import bundle, mirroring
from opsloop.models._tables import ModelAliasRow, ModelRow, ModelVersionRow
from opsloop.models.candidate import Candidate
from opsloop.models.errors import ModelMissing, ModelVersionMissing
from opsloop.models.models import ModelVersion, ModelVersionId, Parity
from opsloop.models.signature import Signature, Task

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
ALIAS = re.compile(r"[a-z][a-z0-9._-]{0,39}")
LATEST = "latest"
RESERVED = ("compare",)  # a page of its own
CHAMPION, CHALLENGER = "champion", "challenger"


def register(
    uow: UnitOfWork, name: str, candidate: Candidate, *, run: str = "", dataset: str = "", alias: str = ""
) -> ModelVersion:
    """A new version of a model, made when it is the first. The same bundle of the same run is registered once.

    Args:
        run: training run it came from.
        dataset: version it was trained on, as `iris@3`.
        alias: points at it from now on.
    Raises: InvalidInput.
    """
    uow.by.require(Role.DEVELOPER)
    check_name(name)
    digest, artifact = bundle.keep(uow.workspace.artifacts, candidate)
    model = _locked(uow, name)
    row = _same(uow, name, digest, run)
    if row is None:
        model.versions += 1
        row = _new(uow, model, candidate, digest, artifact, run=run, dataset=dataset)
        uow.session.add(row)
        uow.session.flush()
        uow.audit("model.registered", f"model/{name}@{row.version}", digest=digest, run=run, dataset=dataset)
        if dataset:
            lineage.note_use(uow, datasets.get(uow, dataset), "model", f"{name}@{row.version}")
        mirroring.wanted(uow, row.id, f"{name}@{row.version}")
    if alias:
        _point(uow, row, alias)
    return _version(uow, row)


def get(uow: UnitOfWork, ref: str) -> ModelVersion:
    """The version that `iris@3`, `iris@champion` or `iris` (the newest) names.

    Raises: ModelMissing, ModelVersionMissing.
    """
    uow.by.require(Role.VIEWER)
    return _version(uow, _found(uow, ref))


def named(uow: UnitOfWork, id: str) -> str | None:
    """`iris@3`, of the version with an id; None when there is none."""
    uow.by.require(Role.VIEWER)
    row = uow.session.get(ModelVersionRow, id)
    return None if row is None else f"{row.name}@{row.version}"


def listed(uow: UnitOfWork) -> list[ModelVersion]:
    """The newest version of every model, by name."""
    uow.by.require(Role.VIEWER)
    query = (
        select(ModelVersionRow)
        .join(ModelRow, (ModelRow.name == ModelVersionRow.name) & (ModelRow.versions == ModelVersionRow.version))
        .order_by(ModelVersionRow.name)
    )
    return [_version(uow, row) for row in uow.session.scalars(query)]


def versions(uow: UnitOfWork, name: str, *, limit: int = 200) -> list[ModelVersion]:
    """The versions of a model, newest first. Raises: ModelMissing."""
    uow.by.require(Role.VIEWER)
    _model(uow, name)
    query = select(ModelVersionRow).where(ModelVersionRow.name == name).order_by(ModelVersionRow.version.desc())
    return [_version(uow, row) for row in uow.session.scalars(query.limit(max(1, min(limit, 1_000))))]


def pointed_at(uow: UnitOfWork, alias: str) -> dict[str, str]:
    """`iris@3`, by model, of every model that has an alias of this name."""
    uow.by.require(Role.VIEWER)
    rows = uow.session.scalars(select(ModelAliasRow).where(ModelAliasRow.alias == alias))
    return {row.name: f"{row.name}@{row.version}" for row in rows}


def set_alias(uow: UnitOfWork, ref: str, alias: str) -> ModelVersion:
    """Let an alias point at a version. Raises: ModelMissing, ModelVersionMissing, InvalidInput."""
    uow.by.require(Role.OPERATOR)
    row = _found(uow, ref)
    _locked(uow, row.name)
    _point(uow, row, alias)
    return _version(uow, row)


def drop_alias(uow: UnitOfWork, name: str, alias: str) -> None:
    """Take an alias away; nothing happens when there is none. Raises: ModelMissing."""
    uow.by.require(Role.OPERATOR)
    _model(uow, name)
    row = uow.session.get(ModelAliasRow, (name, alias))
    if row is not None:
        uow.session.delete(row)
        uow.audit("model.alias_dropped", f"model/{name}@{row.version}", alias=alias)
        uow.session.flush()


def check_name(name: str) -> None:
    """Raises: InvalidInput."""
    if not NAME.fullmatch(name):
        wanted = "up to 80 letters, digits and ._-, a letter or digit first"
        raise InvalidInput(field="model name", value=name, wanted=wanted)
    if name in RESERVED:
        raise InvalidInput(field="model name", value=name, wanted="another name; that one is taken by a page")


def _point(uow: UnitOfWork, row: ModelVersionRow, alias: str) -> None:
    if not ALIAS.fullmatch(alias) or alias == LATEST:
        wanted = f"up to 40 lower-case letters, digits and ._-, a letter first, and not {LATEST}"
        raise InvalidInput(field="alias", value=alias, wanted=wanted)
    there = uow.session.get(ModelAliasRow, (row.name, alias))
    if there is not None and there.version == row.version:
        return
    before = there.version if there is not None else None
    if there is None:
        there = ModelAliasRow(name=row.name, alias=alias)
        uow.session.add(there)
    there.version, there.moved_at, there.moved_by = row.version, uow.clock.now(), uow.by.name
    uow.session.flush()
    uow.audit("model.alias_moved", f"model/{row.name}@{row.version}", alias=alias, before=before)


def _found(uow: UnitOfWork, ref: str) -> ModelVersionRow:
    name, _, which = ref.partition("@")
    model = _model(uow, name)
    number = model.versions
    if which.isdecimal():
        number = min(int(which[:10]), 2**31 - 1)
    elif which not in ("", LATEST):
        alias = uow.session.get(ModelAliasRow, (name, which))
        number = alias.version if alias is not None else 0
    query = select(ModelVersionRow).where(ModelVersionRow.name == name, ModelVersionRow.version == number)
    row = uow.session.scalar(query)
    if row is None:
        names = uow.session.scalars(select(ModelAliasRow.alias).where(ModelAliasRow.name == name)).all()
        known = ", ".join([f"versions 1 to {model.versions}" if model.versions else "no version", *sorted(names)])
        raise ModelVersionMissing(name=name, wanted=which or LATEST, known=known)
    return row


def _model(uow: UnitOfWork, name: str) -> ModelRow:
    row = uow.session.get(ModelRow, name)
    if row is None:
        close = get_close_matches(name, uow.session.scalars(select(ModelRow.name).limit(1_000)).all(), n=1)
        near = f"; did you mean {close[0]!r}?" if close else "; see `opsloop model list`"
        raise ModelMissing(name=name, near=near)
    return row


def _locked(uow: UnitOfWork, name: str) -> ModelRow:
    """The row of a model, held by this transaction; made when there is none."""
    if (row := uow.session.get(ModelRow, name, with_for_update=True)) is not None:
        return row
    try:
        with uow.session.begin_nested():
            row = ModelRow(name=name, versions=0, created_at=uow.clock.now(), created_by=uow.by.name)
            uow.session.add(row)
        return row
    except IntegrityError:  # PostgreSQL: another transaction made it meanwhile
        return uow.session.get_one(ModelRow, name, with_for_update=True)


def _same(uow: UnitOfWork, name: str, digest: str, run: str) -> ModelVersionRow | None:
    query = select(ModelVersionRow).where(
        ModelVersionRow.name == name, ModelVersionRow.digest == digest, ModelVersionRow.run == run
    )
    return uow.session.scalar(query.order_by(ModelVersionRow.version.desc()).limit(1))


def _new(
    uow: UnitOfWork, model: ModelRow, candidate: Candidate, digest: str, artifact: str, *, run: str, dataset: str
) -> ModelVersionRow:
    return ModelVersionRow(
        id=uow.ids.new("model"),
        name=model.name,
        version=model.versions,
        digest=digest,
        artifact=artifact,
        task=candidate.signature.output.task.value,
        signature=msgspec.to_builtins(candidate.signature),
        metrics=dict(candidate.metrics),
        parity=msgspec.to_builtins(candidate.parity),
        framework=candidate.framework,
        dataset=dataset,
        run=run,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )


def _version(uow: UnitOfWork, row: ModelVersionRow) -> ModelVersion:
    query = select(ModelAliasRow.alias).where(ModelAliasRow.name == row.name, ModelAliasRow.version == row.version)
    return ModelVersion(
        id=ModelVersionId(row.id),
        name=row.name,
        version=row.version,
        digest=row.digest,
        artifact=row.artifact,
        task=Task(row.task),
        signature=msgspec.convert(row.signature, Signature),
        metrics=row.metrics,
        parity=msgspec.convert(row.parity, Parity),
        framework=row.framework,
        dataset=row.dataset,
        run=row.run,
        created_at=row.created_at,
        created_by=row.created_by,
        aliases=tuple(sorted(uow.session.scalars(query))),
    )
