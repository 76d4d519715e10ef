"""Run again: a job of CI failed in a way that the diagnosis of its log calls flaky."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Incident, Signal
from opsloop.remediation.playbooks.playbook import Fit


class RerunFailedJob:
    name = "rerun-failed-job"
    title = "Run the failed jobs again"
    action = "github.rerun"

    def fits(self, uow: UnitOfWork, incident: Incident) -> list[Fit]:
        diagnosis = incident.diagnosis or {}
        if diagnosis.get("flaky") is not True:
            return []
        signals = [each for each in incidents.signals_of(uow, incident.id) if _is_failed_run(each)]
        return [_fit(signals[-1], diagnosis)] if signals else []


def _is_failed_run(signal: Signal) -> bool:
    labels = signal.subject.labels
    is_named = bool(labels.get("repository")) and labels.get("run", "").isdecimal()
    return signal.source == "github" and signal.kind == "ci" and signal.ended_at is None and is_named


def _fit(signal: Signal, diagnosis: dict[str, object]) -> Fit:
    repository, run = signal.subject.labels["repository"], signal.subject.labels["run"]
    cause = str(diagnosis.get("root_cause", ""))
    return Fit(
        target=f"ci/{repository}/{run}",
        because=(signal.text, f"its log was diagnosed as something that may pass when run again: {cause}"),
        questions=(
            f"Did {signal.name} fail in the same way before, and pass when it ran again?",
            "Did anything of what it reaches for (a registry, a network, a test machine) have trouble at the time?",
            "Does a job that failed leave something behind that makes a second run differ?",
        ),
        checklist=(
            f"Read why it failed: {signal.link or repository}",
            f"Run the failed jobs of run {run} again",
            "When it fails in the same way, treat it as broken and not as flaky",
        ),
        parameters={"repository": repository, "run": int(run)},
    )


PLAYBOOK = RerunFailedJob()
