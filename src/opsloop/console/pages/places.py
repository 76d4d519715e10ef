"""`/api/places`: every page that the palette can go to."""

from __future__ import annotations

from typing import Any

from opsloop.console.page import SECTIONS
from opsloop.console.page_router import PageRouter
from opsloop.console.words import segment
from opsloop.core.web.dependencies import Reading
from opsloop.datasets import service as datasets
from opsloop.evaluation import service as evaluations
from opsloop.flows import versions as flows
from opsloop.models import service as models
from opsloop.rag import service as rag
from opsloop.releases import service as releases
from opsloop.training import service as training

router = PageRouter()
RUNS = 50


@router.get("/api/places")
def places(uow: Reading) -> dict[str, Any]:
    """Pages first, then endpoints with their newest rollout, flows, datasets, collections, the newest evaluations."""
    found = [(place.title, section.title, place.href) for section in SECTIONS for place in section.places]
    for state in releases.endpoints(uow):
        name = state.endpoint.name
        found += [(name, "endpoint", f"/endpoints/{segment(name)}"), (f"chat {name}", "chat", f"/chat/{segment(name)}")]
        if state.rollout:
            title = f"{name} release {state.rollout.number}"
            found.append((title, "rollout", f"/rollouts/{segment(state.rollout.id)}"))
    found += [(each.ref, "flow", f"/flows/{segment(each.name)}") for each in flows.listed(uow)]
    found += [(each.ref, "dataset", f"/datasets/{segment(each.name)}") for each in datasets.listed(uow)]
    found += [(each.ref, "model", f"/models/{segment(each.name)}") for each in models.listed(uow)]
    found += [(each.name, "documents", f"/documents/{segment(each.name)}") for each in rag.collections(uow)]
    found += [
        (f"training {each.pipeline} {each.id}", "training", f"/training/{segment(each.id)}")
        for each in training.runs(uow, limit=RUNS)
    ]
    for run in evaluations.listed(uow, limit=RUNS):
        found.append((f"{run.flow} {run.experiment} {run.id}", "evaluation", f"/evaluations/{segment(run.id)}"))
    return {"items": [{"title": title, "kind": kind, "href": href} for title, kind, href in found], "next": None}
