"""A judge in the place of the rule about words: whether passages support a statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opsloop.evaluation.errors import CannotScore, ExperimentInvalid
from opsloop.evaluation.evaluators.asking import ITSELF, Ask, Asked
from opsloop.evaluation.evaluators.judging import spec as specs
from opsloop.evaluation.evaluators.judging.judge import Judge, Judged
from opsloop.evaluation.evaluators.judging.spec import Kind
from opsloop.flows.results import NO_TOKENS

OPTIONS = ("judge", *specs.KEYS)
Claim = tuple[str, tuple[str, ...]]
"""A statement and the passages that are to support it."""
Supports = Callable[[str, Sequence[str]], bool]
Claims = Callable[[Mapping[str, Any]], Sequence[Claim]]
"""All that may be asked of a row; empty where the measure does not apply. Raises: CannotScore."""
Measure = Callable[[Mapping[str, Any], Supports], float | None]


def asking(claims: Claims, measure: Measure) -> Callable[[Mapping[str, Any]], Ask | None]:
    """How an evaluator asks a judge where its options name one: of scale yes_no, reading `answer` and `passages`."""

    def make_ask(options: Mapping[str, Any]) -> Ask | None:
        if "judge" not in options:
            return None
        spec = specs.read({key: value for key, value in options.items() if key in specs.KEYS}, "options")
        if spec.scale.kind is not Kind.YES_NO or "passages" not in spec.inputs:
            wanted = "a judge of scale yes_no that reads answer (the statement) and passages"
            raise ExperimentInvalid("options.judge", wanted, value=options["judge"])

        async def ask(rows: Sequence[Mapping[str, Any]]) -> Sequence[Asked]:
            judge = Judge(spec)
            asked = [_claims(row, claims) for row in rows]
            flat = [claim for each in asked if not isinstance(each, Asked) for claim in each]
            found = iter(await judge.rows([{"answer": said, "passages": list(held)} for said, held in flat]))
            return [
                each if isinstance(each, Asked) else _scored(row, each, [next(found) for _ in each], measure)
                for row, each in zip(rows, asked, strict=True)
            ]

        return ask

    return make_ask


def _claims(row: Mapping[str, Any], claims: Claims) -> Sequence[Claim] | Asked:
    try:
        return list(dict.fromkeys(claims(row)))
    except CannotScore as error:
        return Asked(error=str(error))


def _scored(row: Mapping[str, Any], claims: Sequence[Claim], judged: Sequence[Judged], measure: Measure) -> Asked:
    use = sum((each.use for each in judged), start=NO_TOKENS)
    by = next((each.by for each in judged if each.by), "")
    error = next((each.error for each in judged if each.error is not None), None)
    if error is not None:
        return Asked(error=error, use=use, by=by)
    known = {claim: each.score == 1.0 for claim, each in zip(claims, judged, strict=True)}
    refused = [f"{said} - {each.reason}" for (said, _), each in zip(claims, judged, strict=True) if each.score == 0.0]
    score = measure(row, lambda statement, held: known[statement, tuple(held)])
    if score is None:
        return Asked(use=use, by=by, applies=False)
    return Asked({ITSELF: score}, note="\n".join(refused)[:2_000], use=use, by=by)
