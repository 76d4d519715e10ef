"""A bundle from outside, tried out before it is registered: it must be able to serve."""

from __future__ import annotations

import numpy as np

from opsloop.models import bundle as bundles
from opsloop.models import transfer
from opsloop.models.bundle import Bundle
from opsloop.models.candidate import Candidate
from opsloop.models.errors import ModelFileBroken
from opsloop.models.inputs import as_given
from opsloop.models.runtime import LoadedModel
from opsloop.models.signature import Task
from opsloop.models.trying import tried

_TRIED = 200


def accepted(bundle: Bundle) -> Candidate:
    """The candidate in a bundle that loads, and says something of its own reference rows.

    Raises: ModelFileBroken, NoCertificate.
    """
    candidate = transfer.candidate_in(bundle)
    if not bundle.signature.inputs:
        raise ModelFileBroken(file=bundles.MANIFEST, reason="its signature has no inputs")
    if bundle.signature.output.task is Task.CLASSIFICATION and not bundle.signature.output.classes:
        raise ModelFileBroken(file=bundles.MANIFEST, reason="its signature is of a classification without classes")
    model = LoadedModel(bundle)
    rows = bundle.baseline
    if rows is None:
        raise ModelFileBroken(file=bundles.BASELINE, reason="the bundle has no such file, and drift is told against it")
    if rows.ndim != 2 or rows.shape[1] != len(bundle.signature.inputs) or not np.issubdtype(rows.dtype, np.number):
        reason = f"it holds {rows.dtype} of shape {rows.shape}; wanted rows of {len(bundle.signature.inputs)} numbers"
        raise ModelFileBroken(file=bundles.BASELINE, reason=reason)
    if len(rows):
        tried(model, as_given(rows[:_TRIED], bundle.signature, bundle.manifest.codes))
    return candidate
