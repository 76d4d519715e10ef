"""The telling lines in the order of what they tell: the first of a cascade before the last, exit codes never."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from opsloop.incidents.diagnosis.scanning import Found, Scan, Step

SHOWN = 30
# In units of a mark's weight; chosen on the development parts of the logs in benchmarks/diagnosis.py.
IN_STEP, AFTER_STEP, OLD, NEW, REPEATED = 1.0, -2.0, -9.0, 1.5, 0.25


def failing_step(scan: Scan) -> Step | None:
    """The first that failed; of several with a code other than 0 the first too, since later ones often clean up."""
    return next(iter(scan.failed), None)


def ranked(scan: Scan, *, is_compared: bool = False) -> list[Found]:
    """Every telling line with its score as `weight`, best first, SHOWN at most."""
    step = failing_step(scan)
    scored = [replace(each, weight=_score(each, step, is_compared)) for each in scan.found]
    scored.sort(key=lambda each: (-each.weight, -each.line if each.mark and each.mark.last else each.line))
    return _spread(scored[:600])[:SHOWN]


def _score(found: Found, step: Step | None, is_compared: bool) -> float:
    score = found.weight
    if step is not None:
        if step.start <= found.line <= step.end:
            score += IN_STEP
        elif found.line > step.end:
            score += AFTER_STEP
    if is_compared:
        score += NEW if found.is_new else OLD
    return score


def _spread(scored: list[Found]) -> list[Found]:
    """The tenth line of one form tells less than the first of another."""
    taken: Counter[int] = Counter()
    spread = []
    for each in scored:
        key = id(each.mark)
        spread.append((each.weight - REPEATED * taken[key], each))
        taken[key] += 1
    spread.sort(key=lambda pair: -pair[0])
    return [each for _, each in spread]
