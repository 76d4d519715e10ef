"""Bring a challenger that passed its gate to an endpoint's traffic."""

from __future__ import annotations

from opsloop.core.errors import OpsloopError
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import service as releases
from opsloop.releases.errors import GateNotMet, KindsMixed, Recalled, RolloutGoesOn, ServedAlready
from opsloop.releases.models import RolloutStatus
from opsloop.releases.renewals import alarms, course
from opsloop.releases.renewals._tables import RenewalRow
from opsloop.releases.renewals.models import RenewalState

_REFUSALS: tuple[type[OpsloopError], ...] = (Recalled, GateNotMet, KindsMixed, ServedAlready)


def release_challenger(uow: UnitOfWork, row: RenewalRow) -> None:
    """Release it, with its config or that of what serves now; the caller holds the endpoint's row.

    Raises: RolloutGoesOn when somebody else's release is on its way: the renewal stays as it is, to be tried again.
    """
    assert row.challenger is not None
    stable = releases.endpoint(uow, row.endpoint).stable
    try:
        released = releases.create_release(
            uow,
            row.endpoint,
            model=row.challenger,
            config=row.config if row.config is not None or stable is None else stable.config,
            evaluation=row.challenger_run,
            strategy=course.policy_of(row).strategy,
        )
    except RolloutGoesOn:
        raise
    except _REFUSALS as error:
        course.end(uow, row, RenewalState.REJECTED, error.sentence)
        return
    row.release, row.rollout = released.release.id, released.rollout.id
    how = f"on its way by {released.rollout.strategy}" if stable is not None else "the first one"
    course.move(
        uow,
        row,
        RenewalState.ROLLING_OUT,
        f"{row.challenger} is release {released.release.number}, {how}",
        "rollout",
        released.rollout.id,
    )
    if released.rollout.status is RolloutStatus.PROMOTED:
        note_promoted(uow, row, released.rollout.reason)


def note_promoted(uow: UnitOfWork, row: RenewalRow, reason: str) -> None:
    """The challenger serves everybody."""
    said = f"{row.challenger} is the champion: {reason}"
    course.end(uow, row, RenewalState.PROMOTED, said, "rollout", row.rollout or "")
    alarms.close(uow, row)
