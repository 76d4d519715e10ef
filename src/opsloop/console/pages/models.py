"""`/models`, `/models/{name}@{v}` and `/models/compare`: what the registry has, of what, and how versions differ."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import model_lines, serving_places, words
from opsloop.console.page import Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.console.training_charts import importance_bars
from opsloop.core.artifacts.store import ArtifactMissing
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.models import bundle as bundles
from opsloop.models import comparing, service
from opsloop.models.comparison import ModelComparison
from opsloop.models.errors import ModelFileBroken
from opsloop.models.models import ModelVersion
from opsloop.models.signature import Field
from opsloop.releases import service as releases
from opsloop.training.figures import listed as listed_figures
from opsloop.training.figures import shown as shown_figure

router = PageRouter()
AT = "/models/compare"
VERSIONS = 50
SHOWN_INPUTS = 200
Name = Annotated[str, Query(max_length=200)]


@router.get("/models")
def listed(request: Request, uow: Reading, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    found = service.listed(uow)
    shown = [each for each in found if q.lower() in each.name.lower()]
    states = releases.endpoints(uow)
    frame = Frame("Models", cli="opsloop model list", json="/api/models")
    return page(
        request,
        "models.html",
        frame,
        versions=shown,
        figures={each.id: listed_figures(each.metrics, 2) for each in shown},
        serving={each.id: serving_places.of_model(each.name, states) for each in shown},
        champions=service.pointed_at(uow, service.CHAMPION),
        any=bool(found),
        q=q,
        now=uow.clock.now(),
    )


@router.get(AT)
def compared(request: Request, uow: Reading, base: Name = "", head: Name = "", name: Name = "") -> Response:
    if not base or not head:
        return _choosing(request, uow, name or (base or head).partition("@")[0], base, head)
    it = comparing.compare(uow, base, head)
    asked = {"base": it.base.ref, "head": it.head.ref}
    frame = Frame(
        f"{it.head.ref} beside {it.base.ref}",
        trail=(Place("Models", "/models"), Place(it.head.name, f"/models/{words.segment(it.head.name)}")),
        cli=f"opsloop model compare {shlex.quote(it.base.ref)} {shlex.quote(it.head.ref)}",
        json=f"/api/models/compare?{urlencode(asked)}",
    )
    return page(
        request,
        "model_compare.html",
        frame,
        it=it,
        tone=_tone(it),
        swapped=f"{AT}?{urlencode({'base': it.head.ref, 'head': it.base.ref})}",
        figure=_figure,
        signed=model_lines.signed,
        now=uow.clock.now(),
    )


@router.get("/models/{ref}")
def shown(request: Request, uow: Reading, ref: str) -> Response:
    """`iris`, `iris@3` or `iris@champion`."""
    version = service.get(uow, ref)
    frame = Frame(
        version.ref,
        trail=(Place("Models", "/models"),),
        cli=f"opsloop model show {shlex.quote(version.ref)}",
        json=f"/api/models/{words.segment(version.name)}/versions/{version.version}",
    )
    others = service.versions(uow, version.name, limit=VERSIONS)
    looks_at, files, missing = _bundle_of(uow, version)
    return page(
        request,
        "model.html",
        frame,
        version=version,
        others=others,
        figures={each.id: listed_figures(each.metrics, 2) for each in others},
        inputs=[(each, _range(each)) for each in version.signature.inputs[:SHOWN_INPUTS]],
        importance=looks_at,
        files=files,
        missing=missing,
        lines=model_lines.figure_lines(version, others),
        before=model_lines.before_of(version, others),
        places=serving_places.of_version(uow, version.ref),
        at=AT,
        figure=shown_figure,
        signed=model_lines.signed,
        now=uow.clock.now(),
    )


def _choosing(request: Request, uow: UnitOfWork, name: str, base: str, head: str) -> Response:
    """The page that asks for the two versions."""
    newest = service.listed(uow)
    known = [each for model in newest if name in ("", model.name) for each in service.versions(uow, model.name)]
    frame = Frame("Compare models", trail=(Place("Models", "/models"),), cli="opsloop model compare BASE HEAD")
    return page(request, "model_compare_choose.html", frame, versions=known[:500], base=base, head=head, at=AT)


def _bundle_of(uow: UnitOfWork, version: ModelVersion) -> tuple[list[Any], Mapping[str, bundles.BundleFile], str]:
    """What a version looks at, its files, or why neither can be told."""
    try:
        looks_at = comparing.importance(uow, version)
        files = bundles.of_store(uow.workspace.artifacts, version.digest).manifest.files
    except (ArtifactMissing, ModelFileBroken) as error:
        return [], {}, error.sentence
    bars = [
        {"name": name, "mean": loss, "spread": looks_at.spread.get(name)} for name, loss in looks_at.by_input.items()
    ]
    return importance_bars(bars), dict(sorted(files.items())), ""


def _range(field: Field) -> str:
    if field.low is not None and field.high is not None:
        return f"{words.plain(field.low)} to {words.plain(field.high)}"
    if not field.categories:
        return words.NONE
    more = f" and {len(field.categories) - 8:,} more" if len(field.categories) > 8 else ""
    return ", ".join(field.categories[:8]) + more


def _tone(it: ModelComparison) -> str:
    better = {each.is_better for each in it.metrics}
    if {True, False} <= better:
        return "fair"
    return "bad" if False in better else "good" if True in better else ""


def _figure(value: float | None) -> str:
    return words.NONE if value is None else shown_figure(value)
