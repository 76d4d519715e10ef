"""What can be wrong with a judge and its calibration."""

from __future__ import annotations

from opsloop.core.errors import Conflict, InvalidInput, NotFound


class JudgeMissing(NotFound):
    template = "no judge {name!r}{near}; `opsloop judge list` shows those there are"


class CalibrationMissing(NotFound):
    template = "no calibration {name!r} of a judge"


class LabelsInvalid(InvalidInput):
    """The labels of a dataset are not of the judge's scale, or a column that is needed is not there."""


class NothingLabelled(Conflict):
    template = "dataset {dataset} has no row with a label in {labels} that can be compared"
