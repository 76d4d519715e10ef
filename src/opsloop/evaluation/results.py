"""The rows of a run as a JSON-lines artifact."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from opsloop.core.artifacts.store import Artifacts, put_by_content
from opsloop.evaluation.models import RowRecord

PREFIX = "evaluations"
_decoder = msgspec.json.Decoder(RowRecord)


def store(artifacts: Artifacts, records: Sequence[RowRecord]) -> str:
    """Put rows into the artifact store; returns the key."""
    encoder = msgspec.json.Encoder(enc_hook=str)  # what a flow gives beyond JSON is kept as its text
    return put_by_content(artifacts, PREFIX, encoder.encode_lines(records))


def load(artifacts: Artifacts, key: str) -> list[RowRecord]:
    """Raises: ArtifactMissing."""
    return _decoder.decode_lines(artifacts.get(key))
