"""The ways to detect drift in the form in which a watch uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from opsloop.monitoring.alarms.models import Evidence
from opsloop.monitoring.drift.bets import Change
from opsloop.monitoring.drift.delays import expected_delays
from opsloop.monitoring.drift.detector import Detector, Reading
from opsloop.monitoring.drift.explanation import ALL, contributions, explain
from opsloop.monitoring.drift.method import Detecting, Method
from opsloop.monitoring.drift.options import Rule
from opsloop.monitoring.drift.reference import Reference
from opsloop.monitoring.drift.z_score import ZScore

PAIRS = "pairs of columns"
"""The name under which what says that columns no longer go together stands among the features."""


def method_of(reference: Reference) -> Method:
    """The method that the reference's options name."""
    if reference.options.method is Rule.SEQUENTIAL:
        return Sequential(reference)
    return ByZScore(reference) if reference.options.method is Rule.Z_SCORE else Unwatched(reference)


@dataclass(frozen=True)
class Sequential:
    """The anytime-valid test."""

    reference: Reference
    is_lasting = True

    @property
    def about(self) -> Mapping[str, Any]:
        reference = self.reference
        options = reference.options
        return {
            "method": "sequential",
            "false_alarms_every": None if options.false_alarms_per_year else options.false_alarms_every,
            "false_alarms_per_year": options.false_alarms_per_year,
            "is_guaranteed": reference.is_guaranteed,
            "reference_rows": reference.rows,
            "tolerance_sd": reference.radius,
            "block": reference.block.unit,
            "block_rows": reference.block.rows,
            "block_why": reference.block.why,
            "expected_delay": {f"{shift:g} sd": delay for shift, delay in expected_delays(reference).items()},
            "columns": [column.name for column in reference.raw],
        }

    def new(self) -> Detector:
        return Detector(self.reference)

    def restored(self, state: bytes) -> Detector:
        return Detector.restored(self.reference, state)

    def together(self, states: Sequence[bytes]) -> Detector:
        return Detector.merged(self.reference, states)

    def is_alarmed(self, detector: Detecting) -> bool:
        return cast("Detector", detector).alarmed_at is not None

    def score(self, detector: Detecting) -> float:
        return cast("Detector", detector).score

    def figures(self, detector: Detecting) -> dict[str, float]:
        """The score, shared out by the parts of the evidence: of each column, of all together, and of pairs in one."""
        own = cast("Detector", detector)
        shown = {*(column.name for column in self.reference.columns), ALL}
        found = {name: share * own.score for name, share in contributions(own) if name in shown}
        if self.reference.pairs:
            found[PAIRS] = max(0.0, own.score - sum(found.values()))
        return found

    def evidence(self, detector: Detecting) -> Evidence:
        own = cast("Detector", detector)
        found = explain(own)
        detail = {
            "columns": list(found.columns),
            "change": found.change,
            "shift_sd": found.shift_sd,
            "figure": found.figure,
            "before": found.before,
            "after": found.after,
            "log_e": found.log_e,
            "rows_seen": found.rows_seen,
            "since_is_earlier": found.since_is_earlier,
            "unit": found.unit,
            "unit_why": found.unit_why,
            "is_guaranteed": found.is_guaranteed,
            "contributions": dict(found.contributions[:10]),
        }
        is_one = len(found.columns) == 1 or found.change == Change.JOINT
        feature = found.columns[0] if found.columns and is_one else ""
        return Evidence(feature, found.sentence, found.score, found.since_row, None, found.expected_delay, detail)


@dataclass(frozen=True)
class ByZScore:
    """The rule `z_score`: an alarm is of one request."""

    reference: Reference
    is_lasting = False

    @property
    def about(self) -> Mapping[str, Any]:
        names = [column.name for column in self.reference.raw if not column.is_category]
        return {"method": "z_score", "z_limit": self.reference.options.z_limit, "columns": names}

    def new(self) -> ZScore:
        return ZScore(self.reference)

    def restored(self, state: bytes) -> ZScore:
        return ZScore.restored(self.reference, state)

    def together(self, states: Sequence[bytes]) -> ZScore:
        return self.restored(states[-1])

    def is_alarmed(self, detector: Detecting) -> bool:
        return False

    def score(self, detector: Detecting) -> float:
        return cast("ZScore", detector).score

    def figures(self, detector: Detecting) -> dict[str, float]:
        return dict(cast("ZScore", detector).largest)

    def evidence(self, detector: Detecting) -> Evidence:
        own = cast("ZScore", detector)
        feature = max(own.largest, key=own.largest.__getitem__, default="")
        return Evidence(feature, own.sentence, own.score, own.rows, detail={"z": own.largest, "means": own.means})


class Still:
    """Reads nothing."""

    def update(self, X: Any, predictions: Any, at_s: float) -> Reading:
        return _QUIET

    def checkpoint(self) -> bytes:
        return b""


_QUIET = Reading(False, 0.0)


@dataclass(frozen=True)
class Unwatched:
    """The rule `none`. Args: why: nothing can be watched although it was asked for."""

    reference: Reference | None
    why: str = ""
    is_lasting = False

    @property
    def about(self) -> Mapping[str, Any]:
        return {"method": "none", "why": self.why}

    def new(self) -> Still:
        return Still()

    def restored(self, state: bytes) -> Still:
        return Still()

    def together(self, states: Sequence[bytes]) -> Still:
        return Still()

    def is_alarmed(self, detector: Detecting) -> bool:
        return False

    def score(self, detector: Detecting) -> float:
        return 0.0

    def figures(self, detector: Detecting) -> dict[str, float]:
        return {}

    def evidence(self, detector: Detecting) -> Evidence:
        return Evidence("", "drift is not watched", 0.0)
