"""How good the answers of both arms are, by whoever judges them: labels that came later, evaluators of live answers.

Each judge has an e-process of its own, since judges differ in how strict they are. Which there will be is not known
when a rollout begins: the k-th to speak gets 1 / (k (k + 1)) of the weight of quality, which sums to all of it however
many there are, and keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from opsloop.monitoring.objectives.arrivals import LiveScore
from opsloop.releases.analysis.evidence import QUALITY, Reading
from opsloop.releases.analysis.readings import score_reading
from opsloop.releases.analysis.scores import ScoreProcess
from opsloop.releases.labelled import Loss


@dataclass(slots=True)
class _Judge:
    """Args: since: of its first score; scored: subjects that have one, and count once."""

    name: str
    since: datetime
    process: ScoreProcess = field(default_factory=ScoreProcess)
    scored: set[str] = field(default_factory=set)


class Judged:
    """The judges of one rollout's answers."""

    def __init__(self) -> None:
        self._judges: dict[str, _Judge] = {}

    def take(self, said: Loss | LiveScore) -> None:
        """One score of a subject by each judge: with sticky routing a second one says nothing new of who is better."""
        if isinstance(said, Loss):
            if said.beside is None:
                self._judge(QUALITY.name, said.subject, 1.0 - said.loss, candidate=said.is_candidate, at=said.at)
        else:
            name = f"{said.measure} by {said.evaluator}"
            self._judge(name, said.subject, said.value, candidate=said.is_candidate, at=said.at)

    def _judge(self, name: str, subject: str, score: float, *, candidate: bool, at: datetime) -> None:
        judge = self._judges.setdefault(name, _Judge(name, at))
        if subject not in judge.scored:
            judge.scored.add(subject)
            judge.process.observe(score, candidate=candidate, at_s=at.timestamp())

    @property
    def readings(self) -> list[Reading]:
        """Of each judge; of nobody before the first."""
        # By when they first spoke: whoever begins anew reads labels before scores.
        judges = sorted(self._judges.values(), key=lambda each: (each.since, each.name))
        found = [_reading(judge, place) for place, judge in enumerate(judges, 1)]
        return found or [score_reading(QUALITY, ScoreProcess())]

    @property
    def fewest(self) -> int:
        """Subjects of the arm that the judge who saw most of both has judged less often."""
        processes = (each.process for each in self._judges.values())
        return max((min(each.candidate_scores, each.stable_scores) for each in processes), default=0)


def _reading(judge: _Judge, place: int) -> Reading:
    weight = QUALITY.weight / (place * (place + 1))
    return score_reading(replace(QUALITY, name=judge.name, weight=weight), judge.process)
