"""What one kind of trouble shows now, in figures and in words."""

from __future__ import annotations

from opsloop.releases.analysis.adverse import AdverseProcess
from opsloop.releases.analysis.evidence import Arm, Kind, Reading
from opsloop.releases.analysis.scores import ScoreProcess


def adverse_reading(
    kind: Kind, process: AdverseProcess, *, candidate_subjects: int, stable_subjects: int, unit: str = "user"
) -> Reading:
    """What the labels of one kind of adverse event show.

    Args:
        candidate_subjects: subjects that the candidate has served, failing or not; the same for stable.
        unit: the word for one subject, `user` or `request`.
    """
    return Reading(
        kind=kind,
        log_e=process.log_e,
        candidate=Arm(candidate_subjects, process.candidate),
        stable=Arm(stable_subjects, process.stable),
        claim=_adverse_claim(kind, process, unit),
        relative_risk=process.relative_risk,
    )


def _adverse_claim(kind: Kind, process: AdverseProcess, unit: str) -> str:
    share, risk = process.mean_share, process.relative_risk
    if share is None:
        return f"no {kind.participle} {unit} on either side"
    failing = f"{process.events:,} {kind.participle} {unit}{'' if process.events == 1 else 's'}"
    traffic = f"{100 * share:.3g} % of traffic"
    if not process.candidate:
        return f"none of {failing} is the candidate's ({traffic})"
    times = f"{risk:.1f} x as often as stable" if risk is not None else "and stable does not"
    return f"candidate {kind.verb} {times} ({process.candidate:,} of {failing}, {traffic})"


def score_reading(kind: Kind, process: ScoreProcess) -> Reading:
    """What the scores of one kind show; the arms count scored subjects."""
    return Reading(
        kind=kind,
        log_e=process.log_e,
        candidate=Arm(process.candidate_scores),
        stable=Arm(process.stable_scores),
        claim=_score_claim(kind, process),
    )


def _score_claim(kind: Kind, process: ScoreProcess) -> str:
    candidate, stable = process.candidate_mean, process.stable_mean
    if candidate is None or stable is None:
        return f"no {kind.name} scores on both sides yet"
    tolerated = f", {process.margin:g} lower is tolerated" if process.margin else ""
    return (
        f"{kind.name} is {candidate:.2f} on the candidate and {stable:.2f} on stable "
        f"({process.candidate_scores:,} and {process.stable_scores:,} scores{tolerated})"
    )
