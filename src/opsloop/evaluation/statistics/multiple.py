"""Several tests at once: Holm's step-down procedure."""

from __future__ import annotations

from collections.abc import Sequence

from opsloop.core.errors import InvalidInput


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted so that rejecting those up to alpha errs anywhere with chance alpha at most.

    Holds for any dependence between the tests; never less powerful than Bonferroni.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statistics 6 (1979), 65-70.
    """
    for position, p_value in enumerate(p_values):
        if not 0.0 <= p_value <= 1.0:
            raise InvalidInput(field=f"p-value {position}", value=p_value, wanted="a number from 0 to 1")
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, position in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[position]))
        adjusted[position] = highest
    return adjusted
