"""HTTP: models, their versions and aliases."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from opsloop.core.caller import Role
from opsloop.core.errors import ExtraNeeded
from opsloop.core.web.body import FileBody, takes_file
from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing
from opsloop.core.web.router import Router
from opsloop.models import bundle as bundles
from opsloop.models import comparing, service, transfer
from opsloop.models.comparison import ModelComparison
from opsloop.models.models import ModelVersion

router = Router(prefix="/api/models", tags=["models"])
Limit = Annotated[int, Query(ge=1, le=1_000)]
Name = Annotated[str, Query(max_length=200)]


class Pointed(BaseModel):
    """`version` is a number, another alias, or `latest`."""

    model_config = ConfigDict(extra="forbid")
    version: str


@router.get("")
def listed(uow: Reading) -> dict[str, Any]:
    """The newest version of every model."""
    return {"items": service.listed(uow), "next": None}


@router.get("/compare")
def compared(uow: Reading, base: Name, head: Name) -> ModelComparison:
    """How version `head` differs from `base`: figures, signature, importance. Each is such as `iris@3`."""
    return comparing.compare(uow, base, head)


@router.get("/{name}")
def versions(uow: Reading, name: str, limit: Limit = 200) -> dict[str, Any]:
    """The versions of a model, newest first."""
    return {"name": name, "items": service.versions(uow, name, limit=limit), "next": None}


@router.post("/{name}/versions", status_code=201, openapi_extra=takes_file(transfer.MEDIA_TYPE))
def register(
    workspace: Opened,
    caller: Asking,
    data: FileBody,
    name: str,
    dataset: Name = "",
    alias: Annotated[str, Query(max_length=40)] = "",
) -> ModelVersion:
    """Register the bundle in a zip file, once it was seen to serve. The same bundle is registered once."""
    caller.require(Role.DEVELOPER)
    service.check_name(name)
    try:
        from opsloop.models import accepting  # brings the extra `models`
    except ImportError as error:
        raise ExtraNeeded(what="taking in a model", extra="models") from error
    # Before the transaction begins, which would keep other writers waiting.
    candidate = accepting.accepted(transfer.unpacked(data))
    with workspace.writing(caller) as uow:
        return service.register(uow, name, candidate, dataset=dataset, alias=alias)


@router.get("/{name}/versions/{version}")
def get(uow: Reading, name: str, version: str) -> ModelVersion:
    """A version by its number, an alias, or `latest`."""
    return service.get(uow, f"{name}@{version}")


@router.get("/{name}/versions/{version}/bundle", response_class=Response)
def bundle(uow: Reading, name: str, version: str) -> Response:
    """Everything that belongs to a version, as a zip file: the model for ONNX, reference rows, figures."""
    found = service.get(uow, f"{name}@{version}")
    data = transfer.packed(bundles.of_store(uow.workspace.artifacts, found.digest))
    return Response(data, media_type=transfer.MEDIA_TYPE)


@router.put("/{name}/aliases/{alias}")
def set_alias(uow: Writing, name: str, alias: str, wanted: Pointed) -> ModelVersion:
    """Let an alias point at a version."""
    return service.set_alias(uow, f"{name}@{wanted.version}", alias)


@router.delete("/{name}/aliases/{alias}", status_code=204)
def drop_alias(uow: Writing, name: str, alias: str) -> None:
    """Take an alias away; nothing happens when there is none."""
    service.drop_alias(uow, name, alias)
