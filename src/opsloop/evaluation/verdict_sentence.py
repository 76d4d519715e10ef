"""A gate's verdict in words and figures, for people in a hurry."""

from __future__ import annotations

from collections.abc import Sequence

from opsloop.evaluation.verdicts import Decision, Rule, Verdict


def sentence(verdict: Verdict, decisions: Sequence[Decision], waiting: Sequence[Rule], *, alpha: float) -> str:
    """`Gate failed: 2 of 4 rules. token_f1 fell 0.21 (0.46 to 0.25; 90 % interval -0.27 to -0.15, margin 0.05), …`."""
    said = [_head(verdict, decisions)]
    told = [each for each in decisions if each.verdict is verdict] or list(decisions)
    if told:
        said.append(", ".join(clause(each, alpha=alpha) for each in told) + ".")
    if waiting:
        names = ", ".join(rule.metric for rule in waiting)
        said.append(f"Nothing to compare {names} with yet: this run can be the first baseline.")
    return " ".join(said)


def clause(decision: Decision, *, alpha: float) -> str:
    """What one rule found: `token_f1 fell 0.21 (0.46 to 0.25; 90 % interval -0.27 to -0.15, margin 0.05)`."""
    rule = decision.rule
    if decision.estimate is None or decision.low is None or decision.high is None:
        return f"{rule.metric} was measured on no rows"
    interval = f"{round(100 * (1 - 2 * alpha)):d} % interval {_figure(decision.low)} to {_figure(decision.high)}"
    if rule.margin is not None and decision.difference is not None and decision.baseline_estimate is not None:
        change = _change(decision.difference)
        span = f"{_figure(decision.baseline_estimate)} to {_figure(decision.estimate)}"
        return f"{rule.metric} {change} ({span}; {interval}, margin {rule.margin:g}{_more(decision)})"
    return f"{rule.metric} is {_figure(decision.estimate)} ({interval}; wanted {rule.demand}{_more(decision)})"


def _head(verdict: Verdict, decisions: Sequence[Decision]) -> str:
    count = sum(each.verdict is verdict for each in decisions)
    rules = f"{count} of {len(decisions)} rule{'' if len(decisions) == 1 else 's'}"
    if verdict is Verdict.FAIL:
        return f"Gate failed: {rules}."
    if verdict is Verdict.INCONCLUSIVE:
        return f"Gate undecided: {rules} {'needs' if count == 1 else 'need'} more rows."
    return f"Gate passed: {rules}." if decisions else "Gate passed: no rule could be broken yet."


def _change(difference: float) -> str:
    if abs(difference) < 0.0005:
        return "stayed"
    return f"{'rose' if difference > 0 else 'fell'} {_figure(abs(difference))}"


def _more(decision: Decision) -> str:
    if decision.verdict is not Verdict.INCONCLUSIVE:
        return ""
    needed = decision.rows_that_would_decide
    return f"; about {needed:,} rows would decide it" if needed else "; it sits on the boundary"


def _figure(value: float) -> str:
    """Two places for shares and scores; three figures beyond, as for milliseconds."""
    return f"{value:.2f}" if abs(value) < 10 else f"{value:,.0f}"
