"""What a release serves: a version of a flow, or of a trained model."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.flows import versions as flows
from opsloop.models import service as models
from opsloop.models.models import ModelVersion
from opsloop.models.signature import Task
from opsloop.releases._tables import EndpointRow
from opsloop.releases.errors import KindsMixed
from opsloop.releases.models import Kind


@dataclass(frozen=True, slots=True)
class Served:
    """A version that can be released: `answer@2` of a flow, `iris@3` of a model.

    `rmse` is the root mean square error of a regression, where its training measured one.
    """

    kind: Kind
    ref: str
    digest: str
    artifact: str
    rmse: float | None = None


def wanted(uow: UnitOfWork, *, flow: str | None, model: str | None) -> Served:
    """The version that a caller names, one of the two.

    Args:
        flow: `name@2`, or a name for its newest version.
        model: `name@3`, `name@challenger`, or a name for its newest version.
    Raises: InvalidInput, NotFound.
    """
    if flow is not None and model is not None:
        raise InvalidInput("a release serves a flow or a model; name one of flow and model", field="model")
    if model is not None:
        trained = models.get(uow, model)
        return Served("model", trained.ref, trained.digest, trained.artifact, _rmse(trained))
    if flow is None:
        raise InvalidInput("flow: missing; wanted a version of a flow or of a model to release", field="flow")
    version = flows.get(uow, flow)
    return Served("flow", version.ref, version.digest, version.artifact)


def _rmse(trained: ModelVersion) -> float | None:
    found = trained.metrics.get("rmse") if trained.task is Task.REGRESSION else None
    return found if found is not None and found > 0.0 else None


def check_kind(endpoint: EndpointRow, served: Served) -> None:
    """The first release says what an endpoint serves; later ones are of the same kind. Raises: KindsMixed."""
    if endpoint.releases == 0:
        endpoint.kind = served.kind
    elif endpoint.kind != served.kind:
        raise KindsMixed(endpoint=endpoint.name, kind=endpoint.kind, served=served.kind, version=served.ref)
