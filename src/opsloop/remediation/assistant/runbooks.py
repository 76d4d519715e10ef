"""Runbooks: the documents of the collection that a setting names, for a caller who may read it."""

from __future__ import annotations

from opsloop.core.errors import OpsloopError
from opsloop.core.workspace import UnitOfWork
from opsloop.rag.models import Passage
from opsloop.rag.searching.service import find
from opsloop.remediation.settings import RemediationSettings

MOST = 5


def found(uow: UnitOfWork, question: str) -> tuple[list[Passage], str | None]:
    """Passages for a question, and why they could not be looked at; None when they could or none are named."""
    collection = uow.workspace.section(RemediationSettings).remediation_runbooks
    if not collection:
        return [], None
    try:
        return list(find(uow, collection, question, top_k=MOST).passages), None
    except OpsloopError as error:
        return [], f"runbooks were not looked at: {error.sentence}"


def link(uow: UnitOfWork) -> str:
    return f"/documents/{uow.workspace.section(RemediationSettings).remediation_runbooks}"
