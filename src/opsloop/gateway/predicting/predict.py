"""POST /predict and POST /endpoints/{name}/predict: what a model says of rows.

`/predict` asks the default endpoint: the first one that serves a model.
"""

from __future__ import annotations

from typing import Any

import msgspec

from opsloop.core.errors import InvalidInput
from opsloop.gateway.calls import Call
from opsloop.gateway.predicting.answers import PATH, PREFIX, SUFFIX, body_of, release_text
from opsloop.gateway.predicting.asked import Asked
from opsloop.gateway.predicting.exchange import ModelAnswer
from opsloop.gateway.predicting.predictor import Predictor
from opsloop.gateway.predicting.requests import PredictRequest, Unread, request_of
from opsloop.gateway.predicting.rows import Table
from opsloop.models.signature import Task

_encode = msgspec.json.Encoder().encode


async def predict(serving: Asked, call: Call) -> None:
    """Raises: InvalidInput, and what `Serving.predict` raises."""
    path = call.scope["path"]
    endpoint = await serving.routes.look_for_default_model() if path == PATH else path[len(PREFIX) : -len(SUFFIX)]
    body = await serving.body(call)
    refused: InvalidInput | None = None
    try:
        request = request_of(body)
    except Unread as unread:
        request, refused = PredictRequest(msgspec.Raw(unread.rows)), unread.refused
    dialect = PredictDialect(request, call.request_id, refused)
    await serving.predict(call, endpoint, dialect, user=request.user)


class PredictDialect:
    """Args: refused: the rows could not be read; this is said unless more can be said of them."""

    def __init__(self, request: PredictRequest, request_id: str, refused: InvalidInput | None = None) -> None:
        self._request = request
        self._request_id = request_id
        self._refused = refused

    @property
    def wants_scores(self) -> bool:
        return bool(self._request.wanted)

    def table(self, predictor: Predictor) -> Table:
        if self._refused is not None:
            raise predictor.rows.fault(bytes(self._request.inputs)) or self._refused
        return predictor.rows.table(self._request.inputs)

    def body(self, answer: ModelAnswer) -> bytes:
        body = body_of(answer.predicted, release_text(answer.arm.release), self._request_id.encode())
        more = self._more(answer)
        return body if not more else b"%b,%b" % (body[:-1], _encode(more)[1:])

    def _more(self, answer: ModelAnswer) -> dict[str, Any]:
        found = answer.predicted.predictions
        if found is None:
            return {}
        more: dict[str, Any] = {}
        if "probabilities" in self._request.wanted and found.scores is not None:
            more["classes"] = answer.predictor.signature.output.classes
            more["probabilities"] = found.scores.tolist()
        if "intervals" in self._request.wanted:
            alpha = self._request.alpha
            if answer.predictor.signature.output.task is Task.REGRESSION:
                low, high = found.interval(alpha)
                more["intervals"] = [list(pair) for pair in zip(low.tolist(), high.tolist(), strict=True)]
            else:
                more["sets"] = found.sets(alpha)
            more["alpha"] = alpha
        return more
