"""What the loop says on the terminal: a line per step, the figures that decided, and what to try at the end."""

from __future__ import annotations

from typing import Any

import click

from opsloop.cli import story
from opsloop.cli.demo.traffic import Seen
from opsloop.client.apply import Outcome
from opsloop.core.errors import OpsloopError
from opsloop.evaluation.models import GateReport, Run
from opsloop.releases.models import Release, Released, Rollout, RolloutStatus

# Metrics that every run has beside the experiment's own.
BESIDES = ("completed", "latency")


class Teller:
    def step(self, word: str, sentence: str, *, colour: str | None = None) -> None:
        story.step(word, sentence, colour=colour)

    def applied(self, outcome: Outcome) -> None:
        """What became of a step of the plan; an endpoint's also with its evaluation and gate."""
        if outcome.run is not None:
            self.evaluated(outcome.run)
        if outcome.gate is not None:
            self.gate(outcome.gate)
        made = outcome.released
        if made is not None and made.rollout.status is RolloutStatus.PROMOTED:
            self.step("release", f"{outcome.step.name} serves release {made.release.number}")
        elif made is not None:
            self.released(made)
        else:
            self.step(outcome.step.noun, f"{outcome.step.name}: {outcome.says}")

    def change(self, says: str, flow: str) -> None:
        click.echo(f"\n  A change is proposed: {says} (flows/{flow})")

    def evaluated(self, run: Run) -> None:
        measured = {name: metric for name, metric in run.metrics.items() if not metric.is_aggregate}
        taken = {name: metric.value for name, metric in measured.items() if metric.value is not None}
        figures = ", ".join(f"{name} {value:.2f}" for name, value in taken.items() if name not in BESIDES)
        self.step("evaluate", f"{run.flow} on {run.dataset}, {run.rows} rows: {figures}")

    def gate(self, report: GateReport) -> None:
        story.gate(report)

    def refused(self, stable: Release | None) -> None:
        serves = f"release {stable.number} ({stable.serves}) keeps serving" if stable else "nothing is served"
        self.step("release", f"refused; {serves}")

    def released(self, made: Released) -> None:
        first = made.rollout.steps[0].share if made.rollout.steps else 1.0
        what = f"release {made.release.number} ({made.release.serves})"
        self.step("release", f"{what} starts as a {made.rollout.strategy} with {100 * first:.0f} % of users")

    def served(self, seen: Seen) -> None:
        counts = f"{seen.answered:,} answered, {seen.errors} errors seen"
        self.step("serve", f"{seen.asked:,} questions asked over HTTP, {counts}")

    def ended(self, rollout: Rollout) -> None:
        if rollout.status is RolloutStatus.ROLLED_BACK:
            self.step("watch", f"release {rollout.number} was rolled back by itself: {rollout.reason}", colour="red")
            for sentence in harm(rollout.evidence):
                self.step("", sentence)
        else:
            self.step("watch", f"release {rollout.number}: {rollout.status.value}, {rollout.reason}")

    def failed(self, error: OpsloopError) -> None:
        click.secho(f"\nopsloop: {error.sentence}", fg="red", err=True)


def harm(evidence: dict[str, Any]) -> list[str]:
    """What a candidate did before it was stopped, as sentences."""
    seen = evidence.get("candidate", {})
    if not seen.get("requests"):
        return []
    shielded = f"{seen['shielded']} of them were answered by the stable release instead"
    sentences = [
        f"{seen['requests']} requests of {seen['users']} users met it; {seen['failed']} failed, {shielded}, "
        f"{seen['callers_saw_error']} callers saw an error"
    ]
    if "bad_for_s" in evidence:
        sentences.append(f"{evidence['bad_for_s']:.1f} s from its first bad answer to its last request")
    return sentences
