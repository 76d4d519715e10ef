"""HTTP: what is declared of datasets, and what their rows are looked at for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Body

from opsloop.core.caller import Role
from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing
from opsloop.core.web.router import Router
from opsloop.datasets import contamination, holdouts, policies, service, validation
from opsloop.datasets.contamination_models import ContaminationReport, Passage
from opsloop.datasets.findings import DatasetPolicy, ExpectationReport, Holdout, OnBroken, OnPii
from opsloop.datasets.models import DatasetVersion

router = Router(prefix="/api/datasets", tags=["datasets"])


@dataclass(frozen=True, slots=True)
class PolicyWanted:
    """What to declare; what is left out stays."""

    expectations: list[dict[str, Any]] | None = None
    on_broken: OnBroken | None = None
    pii: OnPii | None = None


@dataclass(frozen=True, slots=True)
class SuiteWanted:
    """Expectations to check; without them those of the dataset."""

    expectations: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class HoldoutWanted:
    """Args: share: of the rows, to hold out; by: a column whose values stay together; reason: to replace what is."""

    share: float
    seed: int = 0
    by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ContaminationWanted:
    """Args: version: of the dataset, `latest` by default; against: datasets; texts: of prompts and examples."""

    version: str = "latest"
    against: list[str] | None = None
    texts: list[Passage] | None = None
    threshold: float = contamination.THRESHOLD


@router.get("/{name}/policy")
def policy(uow: Reading, name: str) -> DatasetPolicy:
    """What must hold of the dataset's versions, and what is done about it."""
    return policies.get(uow, name)


@router.post("/{name}/policy")
def change_policy(uow: Writing, name: str, wanted: Annotated[PolicyWanted, Body()]) -> DatasetPolicy:
    """Declare what must hold of the versions that are registered from now on."""
    service.check_name(name)
    return policies.change(uow, name, expectations=wanted.expectations, on_broken=wanted.on_broken, pii=wanted.pii)


@router.post("/{name}/versions/{version}/validate")
def validate(
    workspace: Opened, caller: Asking, name: str, version: str, wanted: Annotated[SuiteWanted, Body()]
) -> ExpectationReport:
    """Check expectations on a version; the answer to the dataset's own is kept with it."""
    with workspace.reading(caller) as uow:
        found = service.get(uow, f"{name}@{version}")
        report = validation.validate(uow, found, wanted.expectations)
    if wanted.expectations is None and caller.role.includes(Role.DEVELOPER):
        with workspace.writing(caller) as uow:
            service.keep_expectations(uow, found, report)
    return report


@router.get("/{name}/holdout")
def holdout(uow: Reading, name: str) -> Holdout | None:
    """What is held out of the dataset; null when nothing is."""
    return holdouts.get(uow, name)


@router.post("/{name}/versions/{version}/freeze")
def freeze(uow: Writing, name: str, version: str, wanted: Annotated[HoldoutWanted, Body()]) -> DatasetVersion:
    """Hold out a share of a version's rows; versions after it must have them unchanged."""
    found = service.get(uow, f"{name}@{version}")
    holdouts.freeze(uow, found, wanted.share, seed=wanted.seed, by=wanted.by, reason=wanted.reason)
    return service.get(uow, found.ref)


@router.post("/{name}/contamination")
def check_contamination(uow: Reading, name: str, wanted: Annotated[ContaminationWanted, Body()]) -> ContaminationReport:
    """Which rows stand, word for word or nearly so, in other datasets or in texts."""
    golden = service.get(uow, f"{name}@{wanted.version}")
    others = [service.get(uow, ref) for ref in wanted.against or ()]
    return contamination.check_versions(uow, golden, others, wanted.texts or (), threshold=wanted.threshold)
