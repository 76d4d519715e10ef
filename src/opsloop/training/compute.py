"""The port behind which trials are run: in this process, or on workers such as those of Ray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from opsloop.core.errors import OpsloopError, Unavailable
from opsloop.training.fitting import Outcome, Recipe, Rows, Trial, outcome
from opsloop.training.orders import Trouble


class WorkerLost(Unavailable):
    template = "a process that trained ended, and so did the one that tried it again: {reason}"


class Compute(Protocol):
    def outcomes(self, recipe: Recipe, rows: Rows, trials: Sequence[Trial]) -> Iterator[Outcome]:
        """What comes of each trial, in their order. Raises: PipelineInvalid, FunctionBroke."""
        ...


class InProcess:
    """One trial after the other, here."""

    def outcomes(self, recipe: Recipe, rows: Rows, trials: Sequence[Trial]) -> Iterator[Outcome]:
        for trial in trials:
            yield outcome(recipe, rows, trial)


def tried(recipe: Recipe, rows: Rows, trial: Trial) -> Outcome | Trouble:
    """In another process: errors come back as what can be sent."""
    try:
        return outcome(recipe, rows, trial)
    except OpsloopError as error:
        return Trouble.of(error)


def got(found: Outcome | Trouble) -> Outcome:
    """What came back from there. Raises: PipelineInvalid, FunctionBroke."""
    if isinstance(found, Trouble):
        raise found.error()
    return found
