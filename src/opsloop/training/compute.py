"""The port behind which trials are run: in this process, or on workers such as those of Ray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from opsloop.training.fitting import Outcome, Recipe, Rows, Trial, outcome


class Compute(Protocol):
    def outcomes(self, recipe: Recipe, rows: Rows, trials: Sequence[Trial]) -> Iterator[Outcome]:
        """What comes of each trial, in their order. Raises: PipelineInvalid, FunctionBroke."""
        ...


class InProcess:
    """One trial after the other, here."""

    def outcomes(self, recipe: Recipe, rows: Rows, trials: Sequence[Trial]) -> Iterator[Outcome]:
        for trial in trials:
            yield outcome(recipe, rows, trial)
