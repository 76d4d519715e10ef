"""How many rows a rule needs, from the spread of a run that was made."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from opsloop.evaluation.plans import PlannedRule
from opsloop.evaluation.rules import Rule
from opsloop.evaluation.statistics.cases import Case, Tested, tested
from opsloop.evaluation.statistics.estimates import Estimate
from opsloop.evaluation.statistics.power import rows_for_gap, rows_without_event, smallest_gap
from opsloop.evaluation.statistics.rows import Rows
from opsloop.evaluation.statistics.unseen import Guarded, NoSpread

UNRELATED = "as if the rows of two runs had nothing in common; a baseline shows how much less it takes"
AS_GOOD = "if the candidate is as good as the baseline, in 8 of 10 repetitions"
AS_SEEN = "if rate and spread stay as they are, in 8 of 10 repetitions"


def planned(case: Case, *, alpha: float) -> PlannedRule:
    """What one rule asks of the number of rows. Raises: InvalidInput, as `tested`."""
    rule = case.rule
    if rule.no_flips:
        return PlannedRule(rule, len(case.candidate), None, None, None, None, "judged on every row, however many")
    if rule.compares and case.baseline is None:
        return _unpaired(case, alpha)
    found = tested(case)
    rows = len(found.rows.candidate)
    if found.estimate is None:
        return PlannedRule(rule, 0, None, None, None, None, "no rows were measured")
    if found.is_certain:
        return PlannedRule(rule, rows, None, None, None, None, "judged on every row, however many")
    if rule.margin is not None or rule.margin_pct is not None:
        return _within_margin(rule, found, found.estimate, alpha)
    needed = found.estimate.rows_to_clear(rule.boundary, alpha)
    says = AS_SEEN if needed is not None else "no number of rows shows it: the run sits on the boundary"
    spread = found.estimate.row_deviation
    return PlannedRule(rule, rows, needed, spread, _correlation(found.rows), None, says)


def _unpaired(case: Case, alpha: float) -> PlannedRule:
    """A rule that compares, with one run only: twice the variance of a row, which is what unrelated rows give."""
    alone = tested(replace(case, rule=Rule(case.rule.metric, at_least=0.5)))
    rows = len(alone.rows.candidate)
    if alone.estimate is None or case.rule.better_by is not None:
        return PlannedRule(case.rule, rows, None, None, None, None, "it takes a baseline to say")
    spread = math.sqrt(2.0) * alone.estimate.row_deviation
    margin = case.rule.margin
    if margin is None:
        margin = (case.rule.margin_pct or 0.0) / 100.0 * float(alone.rows.candidate.mean())
    needed = rows_for_gap(margin, spread, alpha)
    return PlannedRule(case.rule, rows, needed, spread, None, smallest_gap(rows, spread, alpha), UNRELATED)


def _within_margin(rule: Rule, found: Tested, estimate: Estimate, alpha: float) -> PlannedRule:
    margin = rule.margin if rule.margin is not None else (rule.margin_pct or 0.0) / 100.0
    rows, spread = len(found.rows.candidate), estimate.row_deviation
    needed = rows_for_gap(margin, spread, alpha) if spread else 1
    smallest = smallest_gap(rows, spread, alpha)
    if isinstance(estimate, NoSpread | Guarded):  # no margin is shown by rows that could have missed it
        units = estimate.unseen.units
        unmissable = rows_without_event(margin / estimate.unseen.span.high, alpha)
        needed = None if needed is None or unmissable is None else max(needed, math.ceil(unmissable * rows / units))
        smallest = max(smallest, (1.0 - alpha ** (1.0 / units)) * estimate.unseen.span.high)
    says = AS_GOOD if needed is not None else "no number of rows shows a margin of 0: an equal candidate sits on it"
    if rule.margin_pct is not None and found.rows.baseline is not None:
        base = float(found.rows.baseline.mean())
        smallest, spread = smallest * base, spread * base
    return PlannedRule(rule, rows, needed, spread, _correlation(found.rows), smallest, says)


def _correlation(rows: Rows) -> float | None:
    if rows.baseline is None or not rows.candidate.std() or not rows.baseline.std():
        return None
    return float(np.corrcoef(rows.candidate, rows.baseline)[0, 1])
