"""Have a candidate in the shadow asked for the rows that stable has answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from opsloop.gateway.predicting.held import Models
from opsloop.gateway.predicting.keeping import Keeping
from opsloop.gateway.predicting.predictor import Predicted, Predictor
from opsloop.gateway.predicting.rows import Table
from opsloop.gateway.shadowing import Copies, Said, is_copied
from opsloop.releases.routing import Arm, Route

_decode = msgspec.json.Decoder(list[Any]).decode


class Copying:
    def __init__(self, copies: Copies, models: Models, keeping: Keeping) -> None:
        self._copies = copies
        self._models = models
        self._keeping = keeping

    def offer(
        self,
        route: Route,
        predicted: Predicted,
        table_of: Callable[[Predictor], Table],
        *,
        request_id: str,
        subject: str,
    ) -> None:
        """Ask the candidate too, where the route wants that of this request; its answer must have been sent.

        Args:
            table_of: reads the request's rows as the candidate takes them.
        """
        if not is_copied(route, request_id):
            return

        async def ask(arm: Arm) -> Said:
            predictor = self._models.model(arm, route.endpoint)
            said = await predictor.predicted(table_of(predictor), with_scores=False)
            return Said(_decode(said.values))

        inputs, _ = self._keeping.texts(predicted)
        self._copies.offer(
            route,
            ask,
            request_id=request_id,
            subject=subject,
            answered=_decode(predicted.values),
            inputs=inputs,
            rows=len(predicted.table.X),
        )
