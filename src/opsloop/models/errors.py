"""What can be wrong with a model, its files, and what it is asked."""

from __future__ import annotations

from opsloop.core.errors import Conflict, Failed, InvalidInput, NotFound, Unavailable


class ModelMissing(NotFound):
    template = "no model {name!r}{near}"


class ModelVersionMissing(NotFound):
    template = "no version {wanted} of model {name!r}; it has {known}"


class ModelFileBroken(InvalidInput):
    """A file of a bundle is not what it must be."""

    template = "{file} of the model cannot be used: {reason}"


class FileUnusable(InvalidInput):
    """A file that somebody named is not what it must be."""

    template = "{file}: {reason}"


class UntrustedTypes(InvalidInput):
    template = (
        "model.skops names types that are not trusted ({types}), so it is not read; "
        "wanted an estimator of scikit-learn's own classes, or the model as an ONNX file"
    )


class ParityMissed(Conflict):
    template = (
        "the ONNX form of {model} says something else than {model} itself: {reason}; it is not registered, "
        "for what is served must be what was trained"
    )


class NoCertificate(Unavailable):
    template = "model {model} has no certificate that its ONNX form agrees with what was trained; register it again"


class MirrorAway(Unavailable):
    template = "the MLflow server at {where} takes no copy now: {reason}"


class MirrorRefused(Failed):
    template = "the MLflow server at {where} refuses the copy: {reason}; see OPSLOOP_MLFLOW_TRACKING_URI and the token"
