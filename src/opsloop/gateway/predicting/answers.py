"""The bytes of an answer to `/predict`, and the addresses it is asked at."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from opsloop.gateway.predicting.predictor import Predicted

PATH = "/predict"
PREFIX, SUFFIX = "/endpoints/", "/predict"
_encode = msgspec.json.Encoder().encode


@lru_cache(256)
def release_text(release: str) -> bytes:
    return _encode(release)


def body_of(predicted: Predicted, release: bytes, request_id: bytes) -> bytes:
    """The answer. Args: release: as JSON; request_id: of characters that JSON takes as they are."""
    return b'{"predictions":%b,"drift_detected":%b,"drift_score":%b,"release":%b,"request_id":"%b"}' % (
        predicted.values,
        b"true" if predicted.detected else b"false",
        score_text(predicted.score),
        release,
        request_id,
    )


def score_text(score: float | None) -> bytes:
    return b"0.0" if score is None else _encode(round(score, 4))
