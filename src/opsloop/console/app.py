"""The console's router: every page, the live stream, the static files."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from opsloop.console import live, static_files
from opsloop.console.halted import note_halt
from opsloop.console.pages import (
    action,
    alerts,
    approval,
    assistant,
    audit,
    chat,
    compare,
    dashboards,
    dataset_diff,
    datasets,
    detectors,
    diagnose,
    document,
    document_answers,
    document_uploads,
    documents,
    drift,
    endpoint,
    evaluations,
    feedback,
    flow_diff,
    flow_runs,
    flows,
    freeze,
    go,
    incidents,
    jobs,
    limits,
    models,
    overview,
    places,
    playbooks,
    preparations,
    release_diff,
    remediation,
    remediations,
    renewal,
    rollout,
    sign_in,
    slo,
    support,
    survey,
    traces,
    training,
    usage,
    use,
)

router = APIRouter(include_in_schema=False)
PAGES = (
    overview,
    slo,
    dashboards,
    alerts,
    remediation,  # before incidents, of whose forms one is its own
    remediations,
    playbooks,
    assistant,
    incidents,
    detectors,
    endpoint,
    drift,  # before actions, of which any word is one
    renewal,  # the same
    release_diff,
    freeze,  # the same
    action,
    rollout,
    approval,
    flows,
    flow_runs,
    flow_diff,
    compare,  # before evaluations, whose pages have any name
    evaluations,
    dataset_diff,
    datasets,
    preparations,
    training,
    use,
    models,
    document_answers,
    document_uploads,
    documents,
    document,  # after these, of whose pages any has the form of its own
    chat,
    support,
    diagnose,
    feedback,
    audit,
    limits,
    usage,
    jobs,
    traces,
    places,
    go,
    sign_in,
    survey,
)
for each in PAGES:
    router.include_router(each.router, dependencies=[Depends(note_halt)])
for each in (live, static_files):
    router.include_router(each.router)
