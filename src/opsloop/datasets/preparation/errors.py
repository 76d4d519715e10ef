"""What can be wrong with a preparation."""

from __future__ import annotations

from opsloop.core.errors import Failed, InvalidInput, NotFound


class PreparationInvalid(InvalidInput):
    """A declaration is wrong; `field` is the path from the preparation's name on."""


class PreparationMissing(NotFound):
    template = "no preparation named {name!r}{near}; declare it in opsloop.yaml and run `opsloop apply`"


class PreparationRunMissing(NotFound):
    template = "no run of a preparation has the id {name!r}; see `opsloop data preparations NAME`"


class StepFailed(Failed):
    template = "{step}: {reason}"
