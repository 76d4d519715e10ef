"""What labels say of the arms of a rollout: how far predictions were off whose truth came later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.labels import arrivals
from opsloop.monitoring.labels.models import LabelValue


@dataclass(frozen=True, slots=True)
class Loss:
    """What predictions of one row lost, 0 (right) to 1 (as wrong as it can be).

    Attributes:
        seq: number of the label; readers remember the last one they saw.
        is_candidate: whether the candidate answered the caller.
        loss: of the answer; `beside` of the candidate's in the shadow, None where there was none.
    """

    seq: int
    subject: str
    at: datetime
    is_candidate: bool
    loss: float
    beside: float | None


def since(
    uow: UnitOfWork, endpoint: str, rollout: str, after_seq: int, limit: int, *, scale: float | None
) -> list[Loss]:
    """Losses in a rollout whose labels came after a number, in the order in which they came.

    Args:
        scale: the error of a number that counts as 1; None where predictions are classes.
    """
    return [
        Loss(
            seq=each.seq,
            subject=each.subject,
            at=each.at,
            is_candidate=each.arm == "candidate",
            loss=loss_of(each.predicted, each.label, scale),
            beside=None if each.beside is None else loss_of(each.beside, each.label, scale),
        )
        for each in arrivals.after(uow, endpoint, rollout, after_seq, limit)
    ]


def loss_of(predicted: LabelValue, label: LabelValue, scale: float | None) -> float:
    """0 to 1: of a class whether it is the wrong one, of a number its error over the scale."""
    if scale is None or isinstance(predicted, str | bool) or isinstance(label, str | bool):
        return float(predicted != label)
    return min(1.0, abs(predicted - label) / scale)
