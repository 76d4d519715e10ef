"""HTTP: datasets."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from opsloop.core.caller import Role
from opsloop.core.web.body import FileBody, takes_file
from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing
from opsloop.core.web.router import Router
from opsloop.datasets import diff, export, holdouts, lineage, query, service, sql
from opsloop.datasets.formats import registry as formats
from opsloop.datasets.models import DatasetDiff, DatasetLineage, DatasetVersion, QueryAnswer
from opsloop.datasets.quality_api import router as quality

router = Router(prefix="/api/datasets", tags=["datasets"])
router.join(quality)
Part = Annotated[str, Query(pattern="^(holdout|dev|)$")]
Limit = Annotated[int, Query(ge=1, le=1_000)]


class Question(BaseModel):
    """A query over datasets; their names, and versions such as `"golden@2"`, are its tables."""

    model_config = ConfigDict(extra="forbid")
    sql: str = Field(max_length=sql.LIMIT_CHARACTERS)
    limit: int | None = Field(None, ge=1, description="Rows to give back at most.")


class Tags(BaseModel):
    """Tags to put on a version, and those to take off."""

    model_config = ConfigDict(extra="forbid")
    add: list[str] = Field(default_factory=list, max_length=50)
    remove: list[str] = Field(default_factory=list, max_length=50)


def _may_register(
    caller: Asking, name: str, filename: str, tags: Annotated[list[str] | None, Query()] = None
) -> list[str]:
    """The tags that are wanted; what is wrong without a look at the file is told before it is read."""
    caller.require(Role.DEVELOPER)
    wanted = [tag.strip() for each in tags or () for tag in each.split(",") if tag.strip()]
    service.check_name(name, wanted)
    formats.of(filename)
    return wanted


@router.post("/query")
def asked(workspace: Opened, caller: Asking, question: Question) -> QueryAnswer:
    """Run one SELECT over datasets; `is_cut` in the answer says that there were more rows than it may hold."""
    return query.ask(workspace, caller, question.sql, limit=question.limit)


@router.post("/{name}/versions", status_code=201, openapi_extra=takes_file("application/octet-stream"))
def register(
    workspace: Opened,
    caller: Asking,
    tags: Annotated[list[str], Depends(_may_register)],
    data: FileBody,
    name: str,
    filename: str,
    replace_holdout: Annotated[str | None, Query(max_length=1_000)] = None,
) -> DatasetVersion:
    """Register a file's rows; its format is told by the filename. `tags` may be repeated, or separated by commas.

    What was found in the rows is in the answer; where the dataset's policy refuses it, there is no version.
    `replace_holdout` says why held out rows may change.
    """
    # The file is read before the transaction begins, which would keep other writers waiting.
    snapshot = service.prepare_file(workspace, data, filename)
    inspected = service.inspect(workspace, caller, name, snapshot)
    with workspace.writing(caller) as uow:
        return service.register_snapshot(
            uow, name, filename, snapshot, tags=tags, inspected=inspected, replace_holdout=replace_holdout
        )


@router.get("")
def listed(uow: Reading, limit: Limit = 200) -> dict[str, Any]:
    """The current version of every dataset."""
    return {"items": service.listed(uow, limit=limit), "next": None}


@router.get("/{name}")
def of_dataset(uow: Reading, name: str, limit: Limit = 200) -> dict[str, Any]:
    """The versions of a dataset, newest first, and who used them."""
    current = service.get(uow, name)
    return {
        "name": name,
        "current": current,
        "items": service.listed(uow, name=name, limit=limit),
        "uses": lineage.uses(uow, name, limit=limit),
        "next": None,
    }


@router.get("/{name}/diff")
def difference(
    uow: Reading,
    name: str,
    before: str,
    after: str,
    key: Annotated[list[str], Query()],
    shown: Annotated[int, Query(ge=0, le=1_000)] = diff.SHOWN,
) -> DatasetDiff:
    """How version `after` differs from version `before`, row by row under the columns in `key`.

    Each is a number, tag or time of this dataset, or a version of any dataset: `golden@2`.
    """
    old, new = (each if "@" in each else f"{name}@{each}" for each in (before, after))
    return diff.diff(uow, old, new, key=key, shown=shown)


@router.get("/{name}/versions/{version}")
def get(uow: Reading, name: str, version: str, part: Part = "") -> DatasetVersion:
    """A version by its number, tag or time (`2026-11-20`), or `latest`; or a part of it, once rows are held out."""
    return service.get(uow, _ref(name, version, part))


@router.get("/{name}/versions/{version}/rows")
def rows(
    uow: Reading,
    name: str,
    version: str,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Limit = 100,
    part: Part = "",
) -> dict[str, Any]:
    """Some of its rows, in order; `next` continues them as `offset`."""
    found = service.get(uow, _ref(name, version, part))
    items = list(service.rows(uow, found, offset=offset, limit=limit))
    after = offset + len(items)
    return {"items": items, "next": after if after < found.rows else None}


@router.post("/{name}/versions/{version}/tags")
def tag(uow: Writing, name: str, version: str, tags: Tags) -> DatasetVersion:
    """Put tags on a version and take others off."""
    return service.tag(uow, f"{name}@{version}", add=tags.add, remove=tags.remove)


@router.get("/{name}/versions/{version}/lineage")
def lineage_of(uow: Reading, name: str, version: str, limit: Limit = 200) -> DatasetLineage:
    """What a version was made from, and who used it."""
    return lineage.of_version(uow, service.get(uow, f"{name}@{version}"), limit=limit)


@router.get("/{name}/versions/{version}/export", response_class=FileResponse)
def exported(
    workspace: Opened, caller: Asking, name: str, version: str, format: str = "jsonl", part: Part = ""
) -> FileResponse:
    """All its rows as a file: `jsonl`, `csv` or `parquet`; or those of a part, once some are held out."""
    with workspace.reading(caller) as uow:
        found = service.get(uow, _ref(name, version, part))
        holdout = holdouts.get(uow, found.name) if found.part else None
    file = export.file_of(workspace, found, format, holdout=holdout)
    discard = BackgroundTask(file.discard)
    named = f"{found.name}-{found.version}{f'-{part}' if part else ''}.{format}"
    return FileResponse(file.path, filename=named, media_type="application/octet-stream", background=discard)


def _ref(name: str, version: str, part: str) -> str:
    return f"{name}@{version}/{part}" if part else f"{name}@{version}"
