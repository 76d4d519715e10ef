"""HTTP: datasets."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from opsloop.core.caller import Role
from opsloop.core.web.body import RawBody, takes_file
from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.datasets import diff, lineage, service
from opsloop.datasets.models import DatasetDiff, DatasetVersion
from opsloop.datasets.quality_api import router as quality

router = APIRouter(prefix="/api/datasets", tags=["datasets"])
router.include_router(quality)
Part = Annotated[str, Query(pattern="^(holdout|dev|)$")]
Limit = Annotated[int, Query(ge=1, le=1_000)]


@router.post("/{name}/versions", status_code=201, openapi_extra=takes_file("application/octet-stream"))
def register(
    workspace: Opened,
    caller: Asking,
    data: RawBody,
    name: str,
    filename: str,
    tags: Annotated[list[str] | None, Query()] = None,
    replace_holdout: Annotated[str | None, Query(max_length=1_000)] = None,
) -> DatasetVersion:
    """Register a file's rows; its format is told by the filename. `tags` may be repeated, or separated by commas.

    What was found in the rows is in the answer; where the dataset's policy refuses it, there is no version.
    `replace_holdout` says why held out rows may change.
    """
    caller.require(Role.DEVELOPER)
    wanted = [tag.strip() for each in tags or () for tag in each.split(",") if tag.strip()]
    service.check_name(name, wanted)
    # The file is read before the transaction begins, which would keep other writers waiting.
    snapshot = service.prepare(workspace, filename, data)
    inspected = service.inspect(workspace, caller, name, snapshot)
    with workspace.writing(caller) as uow:
        return service.register_snapshot(
            uow, name, filename, snapshot, tags=wanted, inspected=inspected, replace_holdout=replace_holdout
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
    """How version `after` differs from version `before`, row by row under the columns in `key`."""
    return diff.diff(uow, f"{name}@{before}", f"{name}@{after}", key=key, shown=shown)


@router.get("/{name}/versions/{version}")
def get(uow: Reading, name: str, version: str, part: Part = "") -> DatasetVersion:
    """A version by its number or tag, or `latest`; or a part of its rows, once some are held out."""
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


def _ref(name: str, version: str, part: str) -> str:
    return f"{name}@{version}/{part}" if part else f"{name}@{version}"
