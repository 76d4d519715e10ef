"""One request to an endpoint that serves a model: the arm that is asked, and the one that stands in when it fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from opsloop.gateway.errors import AnswerTimedOut
from opsloop.gateway.ledger import Ledger
from opsloop.gateway.predicting.held import Models
from opsloop.gateway.predicting.keeping import Keeping
from opsloop.gateway.predicting.predictor import Predicted, Predictor
from opsloop.gateway.predicting.rows import Table
from opsloop.gateway.settings import GatewaySettings
from opsloop.gateway.standing_in import stand_in
from opsloop.releases.routing import Arm, Route


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    arm: Arm
    predictor: Predictor
    predicted: Predicted


class ModelDialect(Protocol):
    """How a protocol asks a model for predictions, and how it writes them."""

    @property
    def wants_scores(self) -> bool:
        """Whether more is asked for than what the model says: probabilities, intervals."""
        ...

    def table(self, predictor: Predictor) -> Table:
        """Raises: InvalidInput."""
        ...

    def body(self, answer: ModelAnswer) -> bytes:
        """Raises: InvalidInput for what this model cannot say."""
        ...


class ModelExchange:
    """Args: drawn: the arm that was drawn for the subject."""

    __slots__ = ("_arms", "_asked", "_dialect", "_drawn", "_keeping", "_ledger", "_route", "_settings", "answered")

    def __init__(
        self,
        arms: Models,
        settings: GatewaySettings,
        ledger: Ledger,
        route: Route,
        drawn: Arm,
        dialect: ModelDialect,
        keeping: Keeping,
    ) -> None:
        self._arms = arms
        self._settings = settings
        self._ledger = ledger
        self._route = route
        self._drawn = self._asked = drawn
        self._dialect = dialect
        self._keeping = keeping
        self.answered: ModelAnswer | None = None

    async def answer(self) -> bytes:
        """The whole answer; its record is kept when this returns or raises. Raises: OpsloopError."""
        try:
            try:
                answer, body = await self._ask(self._drawn)
            except Exception as error:  # noqa: BLE001 (a release can fail in any way)
                answer, body = await self._ask(stand_in(self._route, self._drawn, self._ledger, error))
        except Exception as error:
            self._ledger.failed(self._asked, error)
            raise
        self._ledger.answered(answer.arm, self._keeping.facts(answer.predicted))
        self._keeping.log(answer.predicted)
        self.answered = answer
        return body

    def cancelled(self, reason: str) -> None:
        """The work was cancelled: note for whom."""
        self._ledger.cancelled(self._asked, reason)

    async def _ask(self, arm: Arm) -> tuple[ModelAnswer, bytes]:
        self._asked = arm
        predictor = self._arms.model(arm, self._route.endpoint)
        table = self._dialect.table(predictor)
        limit_s = self._settings.gateway_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                predicted = await predictor.predicted(table, with_scores=self._dialect.wants_scores)
        except TimeoutError:
            raise AnswerTimedOut(endpoint=self._route.endpoint, number=arm.number, limit_s=limit_s) from None
        answer = ModelAnswer(arm, predictor, predicted)
        return answer, self._dialect.body(answer)
