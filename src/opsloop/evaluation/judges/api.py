"""HTTP: judges and their calibration."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.evaluation.judges import calibrating, service
from opsloop.evaluation.judges.models import Calibration, JudgeShown, JudgeVersion

router = Router(prefix="/api/judges", tags=["judges"])
Limit = Annotated[int, Query(ge=1, le=1_000)]


class Register(BaseModel):
    """`declared` as in judge.yaml; a prompty is its text."""

    model_config = ConfigDict(extra="forbid")
    name: str
    declared: dict[str, Any]


class Calibrate(BaseModel):
    """`dataset` a version such as `labelled@2`; `labels` its columns of labels; `mappings` inputs to columns."""

    model_config = ConfigDict(extra="forbid")
    dataset: str
    labels: list[str] = []
    mappings: dict[str, str] = {}
    retest: Annotated[int, Field(ge=0, le=10_000)] = calibrating.RETEST


@router.post("", status_code=201)
def register(uow: Writing, wanted: Register) -> JudgeVersion:
    """Keep a judge; one that the name has already is the version it was."""
    return service.register(uow, wanted.name, wanted.declared)


@router.get("")
def listed(uow: Reading, name: str | None = None, limit: Limit = 200) -> dict[str, Any]:
    """The current version of every judge; with a name all its versions, newest first."""
    return {"items": service.listed(uow, name=name, limit=limit), "next": None}


@router.get("/{judge}")
def get(uow: Reading, judge: str) -> JudgeShown:
    """A version with its calibrations, and whether it may gate."""
    return service.shown(uow, judge)


@router.post("/{judge}/calibrations", status_code=202)
def calibrate(uow: Writing, judge: str, wanted: Calibrate) -> Calibration:
    """Hold a judge against people's labels; it goes on as a job."""
    return calibrating.start(
        uow, judge, wanted.dataset, labels=wanted.labels, mappings=wanted.mappings, retest=wanted.retest
    )


@router.get("/calibrations/{calibration}")
def calibration(uow: Reading, calibration: str) -> Calibration:
    return service.calibration(uow, calibration)
