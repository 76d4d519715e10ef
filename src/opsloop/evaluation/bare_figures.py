"""Rules on figures that an evaluation flow made of all rows: nobody knows how far such a figure can be trusted."""

from __future__ import annotations

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.rules import Rule
from opsloop.evaluation.verdicts import Decision, Verdict

METHOD = "one figure over all rows, without interval"


def bare_decision(rule: Rule, figure: float) -> Decision:
    """Compare the figure as it is. Raises: InvalidInput for a rule that needs rows."""
    if rule.compares or rule.quantile is not None or rule.slice is not None:
        wanted = "at_least or at_most for all rows: it is one figure of an evaluation flow, which has no rows"
        raise InvalidInput(field=f"rule for {rule.metric}", value=rule.demand, wanted=wanted)
    is_met = figure >= rule.boundary if rule.wants_above else figure <= rule.boundary
    return Decision(
        rule=rule,
        verdict=Verdict.PASS if is_met else Verdict.FAIL,
        estimate=figure,
        low=None,
        high=None,
        baseline_estimate=None,
        difference=None,
        p_value=float(not is_met),
        p_violated=float(is_met),
        rows=0,
        rows_that_would_decide=None,
        method=METHOD,
    )
