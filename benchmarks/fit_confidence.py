"""Whether a map makes the confidence of a diagnosis more honest: `python benchmarks/fit_confidence.py [DATA]`.

DATA as in `diagnosis.py`. Of each labelled log the confidence is set beside whether the first evidence line is a
decisive one. A monotone map is fitted to that by pooling adjacent violators (R. E. Barlow et al., Statistical Inference
under Order Restrictions, 1972), of pools with so many logs at least, and shares drawn in by the rule of succession,
(right + 1) / (logs + 2). Printed are Brier score and expected calibration error of the confidence as it is and of the
map, each answer told by one that was fitted on the other folds, the mean of 40 ways to divide them. A map is worth
having when it is better at both; the exit code is 1 when one is, for then `confidence.py` should have it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import mean

from diagnosis import BESIDE, FOLDS, SYSTEMS, answer, calibration_error, cases
from opsloop.incidents.diagnosis import confidence

LEAST = (12, 24, 36)
WAYS = 40

Said = tuple[float, bool]


def fitted(answers: Sequence[Said], least: int) -> list[tuple[float, float]]:
    """Mean confidence and share of right answers of each pool, both rising; begins at 0, 0."""
    pools: list[list[Said]] = []
    for each in sorted(answers):
        pools.append([each])
        while len(pools) > 1 and (_share(pools[-2]) >= _share(pools[-1]) or len(pools[-2]) < least):
            last = pools.pop()
            pools[-1] += last
    if len(pools) > 1 and len(pools[-1]) < least:
        last = pools.pop()
        pools[-1] += last
    return [(0.0, 0.0), *((mean(said for said, _ in pool), _share(pool)) for pool in pools)]


def mapped(value: float, knots: Sequence[tuple[float, float]]) -> float:
    """On the line between the knots around it; the last one's beyond it."""
    for (low, below), (high, above) in pairwise(knots):
        if value <= high:
            return below + (above - below) * (value - low) / (high - low)
    return knots[-1][1]


def _share(pool: Sequence[Said]) -> float:
    return (sum(right for _, right in pool) + 1) / (len(pool) + 2)


def brier(said: Sequence[Said]) -> float:
    return mean((share - right) ** 2 for share, right in said)


def folded(answers: Sequence[Said], least: int) -> list[Said]:
    said: list[Said] = []
    for fold in range(FOLDS):
        knots = fitted([each for at, each in enumerate(answers) if at % FOLDS != fold], least)
        said += [(mapped(one, knots), right) for at, (one, right) in enumerate(answers) if at % FOLDS == fold]
    return said


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE
    if not (folder / SYSTEMS[0]).is_dir():
        print(f"no logs at {folder}; give the folder that holds {SYSTEMS[0]} as an argument", file=sys.stderr)
        return 2
    answers: list[Said] = []
    for system in SYSTEMS:
        for case in cases(folder, system):
            found = answer(case.data, case.wanted)
            answers.append((confidence.of(found.score, found.margin), found.is_right))
    as_is = brier(answers), calibration_error(answers)
    print(f"{len(answers)} logs; as it is: Brier {as_is[0]:.3f}, expected calibration error {as_is[1]:.3f}")
    is_better = False
    for least in LEAST:
        briers, errors = [], []
        for seed in range(WAYS):
            shuffled = random.Random(seed).sample(answers, len(answers))
            said = folded(shuffled, least)
            briers.append(brier(said))
            errors.append(calibration_error(said))
        print(f"map with pools of {least}: Brier {mean(briers):.3f}, expected calibration error {mean(errors):.3f}")
        is_better |= mean(briers) < as_is[0] and mean(errors) < as_is[1]
    print(f"{'MISSED: a map is better' if is_better else 'met: no map is better than the confidence as it is'}")
    return 1 if is_better else 0


if __name__ == "__main__":
    sys.exit(main())
