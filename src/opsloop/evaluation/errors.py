"""What can be wrong with an experiment, a run and a gate."""

from __future__ import annotations

from opsloop.core.declared import DeclarationInvalid
from opsloop.core.errors import Conflict, Failed, NotFound


class ExperimentInvalid(DeclarationInvalid):
    """An experiment is wrong at `field`, a key path such as `gate.rules[1].margin`."""


class RunMissing(NotFound):
    template = "no evaluation {name!r}; `opsloop eval list` shows those there are"


class RunNotDone(Conflict):
    template = "evaluation {run} is {status}; its gate can be checked once it is done"


class NoGate(Conflict):
    template = (
        "experiment {experiment} of evaluation {run} declares no gate; add `gate:` with rules to it, or name a "
        "baseline, than which it is not to be worse by five points"
    )


class NotComparable(Conflict):
    template = "evaluation {run} cannot be compared with {baseline}: {reason}"


class ScoreUnusable(Failed):
    template = "evaluator {evaluator} gave {score} for row {row} of {dataset}; a score is a finite number"


class EvaluatorBroke(Failed):
    template = "evaluator {evaluator} failed on row {row} of {dataset}: {reason}"


class CannotScore(Exception):
    """A row's output is not of a form that can be measured; the row counts as failed under this metric."""
