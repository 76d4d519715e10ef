"""What can be wrong with kept pipelines and runs of them."""

from __future__ import annotations

from opsloop.core.errors import Conflict, InvalidInput, NotFound, Unauthenticated, Unavailable


class OperationInvalid(InvalidInput):
    """What a declaration says of when a pipeline runs and whom it tells is wrong; `field` is the path in it."""


class PipelineMissing(NotFound):
    template = "no pipeline named {name!r}{near}; declare it in opsloop.yaml and run `opsloop apply`"


class WindowEmpty(InvalidInput):
    template = "window: no row is one of {window}; choose a wider one, or register newer data"


class TrainingRunMissing(NotFound):
    template = "no training run has the id {name!r}; see `opsloop train list`"


class TrainingRunIsOver(Conflict):
    template = "training run {run} is {status} already"


class SignatureWrong(Unauthenticated):
    template = "the signature is not one of this body with the secret of pipeline {pipeline!r}; sign with that secret"


class OutletAway(Unavailable):
    template = "{where} cannot be written to ({reason}); look at its name, and at the credentials of the environment"
