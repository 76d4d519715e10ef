"""The evaluator `judge`: a model gives each row a score by a rubric.

Options are those of a judge (`rubric` and `scale`, with `model`, `connection`, `parameters`, `inputs`), or `judge` with
the name of a registered one, such as `helpful@2`. Its metric may gate once it was calibrated with people's labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.evaluators.asking import Ask, Asked
from opsloop.evaluation.evaluators.judging import spec as specs
from opsloop.evaluation.evaluators.judging.judge import Judge
from opsloop.evaluation.evaluators.judging.spec import JudgeSpec, Kind
from opsloop.evaluation.evaluators.registry import Evaluator, Input, Score
from opsloop.evaluation.evaluators.usual import usual_of
from opsloop.evaluation.models import ExperimentEvaluator

NAME = "judge"


def spec_of(use: ExperimentEvaluator, field: str) -> JudgeSpec | None:
    """The judge that a use in an experiment asks; None where it asks none. Raises: ExperimentInvalid."""
    if use.name != NAME and "judge" not in use.options:
        return None
    own = {key: value for key, value in use.options.items() if key in specs.KEYS}
    if "judge" in use.options and not own:
        wanted = "a judge that is registered where the run starts"
        raise ExperimentInvalid(f"{field}.options.judge", wanted, value=use.options["judge"])
    return specs.read(own, f"{field}.options")


def evaluator_of(use: ExperimentEvaluator, *, field: str) -> Evaluator:
    """Raises: ExperimentInvalid."""
    spec = spec_of(use, field)
    assert spec is not None

    async def ask(rows: Sequence[Mapping[str, Any]]) -> Sequence[Asked]:
        return [each.asked() for each in await Judge(spec).rows(rows)] if rows else []

    def make_ask(_: Mapping[str, Any]) -> Ask:
        return ask

    return Evaluator(
        NAME,
        tuple(Input(name, _usual(name, spec), required=name != "question") for name in spec.inputs),
        _never,
        options=("judge", *specs.KEYS),
        worst=float(spec.scale.low),
        make_ask=make_ask,
    )


def _usual(name: str, spec: JudgeSpec) -> tuple[str, ...]:
    if name == "other" and spec.scale.kind is Kind.PAIRWISE:
        return ("data.other", "data.other_answer", "data.baseline")
    return usual_of(name)


def _never(_: Mapping[str, Any]) -> Score:
    raise AssertionError("a judge is asked, of all rows together")
