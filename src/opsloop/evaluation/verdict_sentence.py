"""A gate's verdict in words and figures, for people in a hurry."""

from __future__ import annotations

from collections.abc import Sequence

from opsloop.evaluation.rules import Rule
from opsloop.evaluation.verdicts import Decision, Verdict


def sentence(verdict: Verdict, decisions: Sequence[Decision], waiting: Sequence[Rule], *, alpha: float) -> str:
    """`Gate failed: 2 of 4 rules. token_f1 fell 0.21 (0.46 to 0.25; 90 % interval -0.27 to -0.15, margin 0.05), …`."""
    said = [_head(verdict, decisions)]
    told = [each for each in decisions if each.verdict is verdict] or list(decisions)
    if told:
        said.append(", ".join(clause(each, alpha=alpha) for each in told) + ".")
    if waiting:
        names = ", ".join(dict.fromkeys(rule.name for rule in waiting))
        said.append(f"Nothing to compare {names} with yet: this run can be the first baseline.")
    return " ".join(said)


def clause(decision: Decision, *, alpha: float) -> str:
    """What one rule found: `token_f1 fell 0.21 (0.46 to 0.25; 90 % interval -0.27 to -0.15, margin 0.05)`."""
    rule = decision.rule
    if decision.estimate is None:
        return f"{rule.name} was measured on no rows"
    if decision.flips is not None:
        return _flips(decision)
    interval = _interval(decision, alpha)
    if rule.compares and decision.difference is not None and decision.baseline_estimate is not None:
        change = _change(decision.difference)
        span = f"{_figure(decision.baseline_estimate)} to {_figure(decision.estimate)}"
        return f"{rule.name} {change} ({span}; {interval}, {_allowed(rule)}{_more(decision)})"
    return f"{rule.name} is {_figure(decision.estimate)} ({interval}; wanted {rule.demand}{_more(decision)})"


def _flips(decision: Decision) -> str:
    count = decision.flips or 0
    rows = f"{count:,} row{'' if count == 1 else 's'}"
    which = f": {', '.join(decision.flipped)}" if decision.flipped else ""
    more = f", and {count - len(decision.flipped)} more" if len(decision.flipped) < count else ""
    return f"{decision.rule.name} flipped on {rows}{which}{more} (wanted {decision.rule.demand}{_more(decision)})"


def _interval(decision: Decision, alpha: float) -> str:
    if decision.low is None and decision.high is None:
        return "no interval"
    ends = f"{_figure(decision.low)} to {_figure(decision.high)}"
    return f"{round(100 * (1 - 2 * alpha)):d} % interval {ends}"


def _allowed(rule: Rule) -> str:
    if rule.margin is not None:
        return f"margin {rule.margin:g}"
    return f"margin {rule.margin_pct:g} %" if rule.margin_pct is not None else f"wanted {rule.demand}"


def _head(verdict: Verdict, decisions: Sequence[Decision]) -> str:
    those = [each for each in decisions if each.verdict is verdict]
    rules = f"{len(those)} of {len(decisions)} rule{'' if len(decisions) == 1 else 's'}"
    if verdict is Verdict.FAIL:
        return f"Gate failed: {rules}."
    if verdict is Verdict.INCONCLUSIVE:
        if any(each.held or each.flips is not None for each in those):
            return f"Gate undecided: {rules} {'is' if len(those) == 1 else 'are'} not shown."
        return f"Gate undecided: {rules} {'needs' if len(those) == 1 else 'need'} more rows."
    return f"Gate passed: {rules}." if decisions else "Gate passed: no rule could be broken yet."


def _change(difference: float) -> str:
    if abs(difference) < 0.0005:
        return "stayed"
    return f"{'rose' if difference > 0 else 'fell'} {_figure(abs(difference))}"


def _more(decision: Decision) -> str:
    if decision.held:
        return f"; {decision.held}"
    if decision.verdict is not Verdict.INCONCLUSIVE:
        return ""
    if decision.flips is not None:
        return f"; {decision.not_measured:,} rows were not measured" if decision.not_measured else "; none to compare"
    needed = decision.rows_that_would_decide
    return f"; about {needed:,} rows would decide it" if needed else "; it sits on the boundary"


def _figure(value: float | None) -> str:
    """Two places for shares and scores; three figures beyond, as for milliseconds."""
    if value is None:
        return "open"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:,.0f}"
