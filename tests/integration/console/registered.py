"""Versions of models for pages: made from what a training run registered, for pages load no model."""

from __future__ import annotations

from dataclasses import replace

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.models import bundle, service, transfer
from opsloop.models.signature import Field, FieldType


def more(workspace: Workspace, caller: Caller, ref: str, *, hostile: str) -> None:
    """A better second version of a model, and a model with many inputs whose names mean harm."""
    with workspace.writing(caller) as uow:
        found = transfer.candidate_in(bundle.of_store(workspace.artifacts, service.get(uow, ref).digest))
        better = {name: value * 1.01 for name, value in found.metrics.items()}
        wider = replace(found.signature, inputs=(*found.signature.inputs, Field("colour", FieldType.TEXT)))
        service.register(uow, "flowers", replace(found, metrics=better, signature=wider), alias="champion")
        texts = tuple(f"{hostile}{number}" for number in range(30))
        inputs = tuple(Field(f"{number}{hostile}", FieldType.TEXT, categories=texts) for number in range(400))
        harmful = replace(found, signature=replace(found.signature, inputs=inputs), framework=hostile)
        service.register(uow, "wide", harmful, run="run_gone")
