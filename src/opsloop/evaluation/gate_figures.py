"""Gate rules on figures of all rows together: an F1, an AUROC, the recall of a label."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opsloop.evaluation.aggregated import Made, resampled
from opsloop.evaluation.asked import is_of
from opsloop.evaluation.errors import NotComparable
from opsloop.evaluation.evaluators.brought.lookup import evaluator_of
from opsloop.evaluation.gate_cases import Compared, case_of
from opsloop.evaluation.models import Experiment, GateSpec, RowRecord, Run
from opsloop.evaluation.rules import Rule
from opsloop.evaluation.slices import condition

if TYPE_CHECKING:
    from opsloop.evaluation.statistics.cases import Case
    from opsloop.evaluation.statistics.resampled import Resampled


@dataclass(frozen=True, slots=True)
class FigureRules:
    """What rules on figures are judged by: a run's rows, and those of a baseline where there is one."""

    experiment: Experiment
    spec: GateSpec
    run: Run
    records: Sequence[RowRecord]
    baseline: Run | None
    theirs: Sequence[RowRecord]

    def speak_of(self, rule: Rule) -> bool:
        """Whether a rule is on a figure that the run has."""
        summary = self.run.metrics.get(rule.metric)
        return summary is not None and summary.is_aggregate

    def rows_of(self, rule: Rule) -> str:
        """The metric whose rows a rule is about."""
        return self._made(rule).metric if self.speak_of(rule) else rule.metric

    def case(self, rule: Rule, compared: Compared) -> Case:
        """A rule on a figure with what it is judged by. Raises: NotComparable, InvalidInput."""
        made = self._made(rule)
        plain = case_of(replace(rule, metric=made.metric), self.spec, compared, is_alone=True)
        name = rule.metric.removeprefix(f"{made.metric}.")
        ours, theirs = self._rows(rule, made)
        found = self._resampled(ours, made).get(name)
        beside = self._resampled(theirs, made).get(name) if theirs is not None else None
        return replace(plain, rule=rule, candidate=(), clusters=None, figure=found, beside=beside)

    def _made(self, rule: Rule) -> Made:
        for place, use in enumerate(self.experiment.evaluators):
            if use.flow is None and rule.metric != use.metric and is_of(rule.metric, use.metric):
                evaluator = evaluator_of(use, field=f"evaluators[{place}]")
                if evaluator.make_aggregate is not None:
                    return Made(use.metric, evaluator.make_aggregate(use.options))
        raise AssertionError("a run has figures of its own experiment only")

    def _rows(self, rule: Rule, made: Made) -> tuple[list[RowRecord], list[RowRecord] | None]:
        """The rows of the rule's slice that have a say; with a baseline those that have one on both sides."""
        ours = [each for each in self.records if made.metric in each.parts and self._is_in_slice(rule, each)]
        if not rule.compares or self.baseline is None:
            return ours, None
        if [each.digest for each in self.run.datasets] != [each.digest for each in self.baseline.datasets]:
            reason = f"{rule.metric} is a figure of all rows, and they ran on other data; evaluate both on the same"
            raise NotComparable(run=self.run.id, baseline=self.baseline.id, reason=reason)
        named = {each.ref: place for place, each in enumerate(self.baseline.datasets)}
        here = {each.ref: place for place, each in enumerate(self.run.datasets)}
        known = {
            (named[each.dataset], each.row, each.repeat): each for each in self.theirs if made.metric in each.parts
        }
        pairs = [
            (each, known[place]) for each in ours if (place := (here[each.dataset], each.row, each.repeat)) in known
        ]
        return [one for one, _ in pairs], [replace(other, dataset=one.dataset) for one, other in pairs]

    def _is_in_slice(self, rule: Rule, record: RowRecord) -> bool:
        if rule.slice is None:
            return True
        wanted = condition(self.spec.slices[rule.slice], field=f"gate.slices.{rule.slice}")
        return wanted.holds(record.data, dataset=record.dataset)

    def _resampled(self, records: Sequence[RowRecord], made: Made) -> dict[str, Resampled]:
        clusters: dict[tuple[str, int], Hashable] = {}
        if self.spec.cluster_by is not None:
            for each in records:
                value = each.data.get(self.spec.cluster_by)
                if value is not None:
                    clusters[each.dataset, each.row] = f"value {value!r}"
        return resampled(records, made, seed=self.experiment.seed, clusters=clusters)
