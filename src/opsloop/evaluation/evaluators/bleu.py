"""BLEU: how many of the answer's runs of one to four words stand in the truth; of a row, and of all rows as one text.

Of a row it is smoothed, as a run of four words is often not found: the first count of 0 becomes 1/2, the next 1/4, and
so on. `corpus_bleu`, the figure that papers give, adds the counts of all rows first and needs no smoothing. Values are
0-1; papers write them times 100. Words are runs of letters and digits or single signs, in any case.

Sources: K. Papineni et al., BLEU: a method for automatic evaluation of machine translation, ACL 2002, section 2;
M. Post, A call for clarity in reporting BLEU scores, WMT 2018, and its tool sacreBLEU, whose `exp` smoothing this is.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsloop.evaluation.evaluators.aggregates import Aggregate
from opsloop.evaluation.evaluators.registry import ANSWER, TRUTH, Evaluator, register
from opsloop.evaluation.evaluators.values import text, texts
from opsloop.evaluation.statistics.figure import Figure

if TYPE_CHECKING:  # numpy is an extra
    from opsloop.evaluation.statistics.rows import Floats

LONGEST = 4
_WORD = re.compile(r"\w+|[^\w\s]")
Counts = list[int]
"""The length of the answer and of the nearest truth, then hits and runs for each length."""


def words(value: str) -> list[str]:
    return _WORD.findall(value.casefold())


def counts(answer: Sequence[str], truths: Sequence[Sequence[str]]) -> Counts:
    """What BLEU is computed from; counts of several rows are added."""
    nearest = min((abs(len(truth) - len(answer)), len(truth)) for truth in truths)[1]
    found = [len(answer), nearest]
    for length in range(1, LONGEST + 1):
        runs = _runs(answer, length)
        most: Counter[tuple[str, ...]] = Counter()
        for truth in truths:
            most |= _runs(truth, length)
        found += [sum((runs & most).values()), max(0, len(answer) - length + 1)]
    return found


def bleu(found: Counts) -> float:
    """Of one row, smoothed, 0-1."""
    length, wanted, *rest = found
    halvings, logs = 0, []
    for hits, runs in zip(rest[::2], rest[1::2], strict=True):
        if runs == 0:
            break  # an answer shorter than this has no such runs
        if hits == 0:
            halvings += 1
        logs.append(math.log(hits / runs if hits else 1.0 / (2.0**halvings * runs)))
    if rest[0] == 0:  # not one word
        return 0.0
    return math.exp(min(0.0, 1.0 - wanted / length) + sum(logs) / len(logs))


def _runs(given: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(given[at : at + length]) for at in range(len(given) - length + 1))


def _counts(values: Mapping[str, Any]) -> Counts:
    truths = [words(truth) for truth in texts(values, "truth") or [""]]
    return counts([] if values["answer"] is None else words(text(values, "answer")), truths)


def _score(values: Mapping[str, Any]) -> float:
    found = _counts(values)
    return float(found[1] == 0) if found[0] == 0 else bleu(found)


def figures(parts: Sequence[Counts], weights: Floats) -> Mapping[str, Figure]:
    import numpy as np

    totals = weights @ np.asarray(parts, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(totals[:, 2::2] / totals[:, 3::2]).mean(axis=1)
        values = np.exp(np.minimum(0.0, 1.0 - totals[:, 1] / totals[:, 0]) + logs)
    return {"corpus_bleu": Figure(values, len(parts))}


def _part(values: Mapping[str, Any]) -> Counts | None:
    return None if values["truth"] is None else _counts(values)


register(Evaluator("bleu", (ANSWER, TRUTH), lambda _: _score, make_aggregate=lambda _: Aggregate(_part, figures)))
