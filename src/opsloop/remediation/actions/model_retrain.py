"""Renew the model of an endpoint as its policy says: a challenger is trained, judged by its gate, and rolled out."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.workspace import UnitOfWork
from opsloop.releases.renewals import service as renewals
from opsloop.releases.renewals.errors import NoPolicy, RenewalGoesOn
from opsloop.remediation.actions.action import Inside, Parameters
from opsloop.remediation.models import Done, Preview, Reach


class Retraining(Parameters):
    endpoint: str = Field(min_length=1, max_length=63)


class ModelRetrain(Inside[Retraining]):
    kind = "model.retrain"
    form = Retraining

    def preview(self, uow: UnitOfWork, parameters: Retraining) -> Preview:
        endpoint = parameters.endpoint
        served = renewals.renewed_release(uow, endpoint)
        if served is None:
            raise NoPolicy(endpoint=endpoint)
        last = next(iter(renewals.listed(uow, endpoint=endpoint, limit=1)), None)
        if last is not None and not last.state.is_over:
            raise RenewalGoesOn(endpoint=endpoint, renewal=last.id, state=last.state.replace("_", " "))
        return Preview(
            f"the model of {endpoint}, {served.serves}, is renewed; it serves until a better one passed its gate",
            f"release {served.number}, last renewal {last.id if last is not None else 'none'}",
            (f"{endpoint}: a challenger is trained, judged beside {served.serves}, and released if it is no worse",),
            Reach(endpoints=1),
        )

    def act(self, uow: UnitOfWork, parameters: Retraining, *, why: str) -> Done:
        begun = renewals.start(uow, parameters.endpoint, reason=why)
        return Done(f"renewal {begun.id} of {parameters.endpoint} began, {why}")

    def commands(self, parameters: Retraining) -> tuple[tuple[str, ...], ...]:
        return (("opsloop", "renewal", "start", parameters.endpoint),)


ACTION = ModelRetrain()
