"""One model in the place of a gateway's endpoints: the same routes for predictions, with no database behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import MappingProxyType

from opsloop.core.clock import Clock
from opsloop.core.ids import Ids
from opsloop.gateway.bodies import body_of
from opsloop.gateway.calls import Call
from opsloop.gateway.errors import AnswerTimedOut, Overloaded, UnknownEndpoint
from opsloop.gateway.ledger import RecordIds
from opsloop.gateway.predicting.exchange import ModelAnswer, ModelDialect
from opsloop.gateway.predicting.keeping import Keeping
from opsloop.gateway.predicting.predictor import Predictor
from opsloop.gateway.settings import GatewaySettings
from opsloop.gateway.shortcut import Shortcut
from opsloop.monitoring import metrics
from opsloop.monitoring.models import RequestRecord
from opsloop.releases.routing import Arm, Route, RoutingTable


class OneModel:
    """Args:
    name: of the model, as an endpoint is named.
    serves: what it says of itself in answers, such as `iris@3`.
    """

    is_settled = True

    def __init__(
        self,
        predictor: Predictor,
        keeping: Keeping,
        settings: GatewaySettings,
        *,
        name: str,
        serves: str,
        body_limit_bytes: int,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._predictor = predictor
        self._keeping = keeping
        self._settings = settings
        self._limit_bytes = body_limit_bytes
        self._clock = clock
        self._running = 0
        digest = predictor.model.digest
        arm = Arm("stable", serves, 1, "model", serves, digest, digest, MappingProxyType({}))
        self._route = Route(name, arm, None, 0.0, None, "", shield=False)
        self._arm = arm
        self.default_model = name
        self.table = RoutingTable(1, {name: self._route}, name)
        self.shortcut = Shortcut(self, self, self, RecordIds(ids.new("one")), _nobody, keeping, clock, ids.new)

    @property
    def routes(self) -> OneModel:
        return self

    @property
    def arms(self) -> OneModel:
        return self

    async def look_for_default_model(self) -> str:
        return self.default_model

    async def route(self, name: str) -> Route:
        """Raises: UnknownEndpoint."""
        if name != self.default_model:
            raise UnknownEndpoint(f"no model named {name!r}; this service has {self.default_model!r}", name=name)
        return self._route

    def model(self, arm: Arm, endpoint: str) -> Predictor:
        return self._predictor

    def record_all(self, records: Sequence[RequestRecord]) -> None:
        """Count them; what was predicted is in the log's lines."""
        for record in records:
            metrics.observe(record)

    async def body(self, call: Call) -> bytes:
        limit_s = self._settings.gateway_body_timeout_s
        return await body_of(call.scope, call.receive, limit=self._limit_bytes, timeout_s=limit_s)

    async def predict(self, call: Call, endpoint: str, dialect: ModelDialect, *, user: str | None) -> None:
        """Raises: UnknownEndpoint, InvalidInput, Overloaded, AnswerTimedOut."""
        await self.route(endpoint)
        if self._running >= self._settings.gateway_max_concurrent:
            raise Overloaded(limit=self._settings.gateway_max_concurrent)
        self._running += 1
        started_s = self._clock.monotonic_s()
        try:
            answer = await self._answer(endpoint, dialect)
        except BaseException:
            self._count(call, started_s, is_well=False)
            raise
        finally:
            self._running -= 1
        body = dialect.body(answer)
        self._count(call, started_s, is_well=True)
        self._keeping.log(answer.predicted)
        await call.out.whole(200, body)

    async def _answer(self, endpoint: str, dialect: ModelDialect) -> ModelAnswer:
        table = dialect.table(self._predictor)
        limit_s = self._settings.gateway_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                predicted = await self._predictor.predicted(table, with_scores=dialect.wants_scores)
        except TimeoutError:
            raise AnswerTimedOut(endpoint=endpoint, number=1, limit_s=limit_s) from None
        return ModelAnswer(self._arm, self._predictor, predicted)

    def _count(self, call: Call, started_s: float, *, is_well: bool) -> None:
        metrics.observe(
            RequestRecord(
                request_id=call.request_id,
                endpoint=self.default_model,
                release=self._arm.release,
                arm="stable",
                subject="",
                started_at=self._clock.now(),
                duration_ms=(self._clock.monotonic_s() - started_s) * 1000,
                status="ok" if is_well else "error",
            )
        )


def _nobody(_name: str) -> str:
    """Who asks is not kept here."""
    return ""
