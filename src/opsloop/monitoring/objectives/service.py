"""Declare an endpoint's objectives, and tell how they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.instants import instant_of, microseconds
from opsloop.monitoring.objectives import burning, declaration
from opsloop.monitoring.objectives._tables import ObjectivesRow, TallyRow
from opsloop.monitoring.objectives.models import Burn, Measure, Objective, Standing, State, Tally
from opsloop.monitoring.objectives.tallying import HOUR_S, MINUTE_S
from opsloop.monitoring.objectives.wording import sentence

MAX_NAME = 100


def declare(uow: UnitOfWork, endpoint: str, declared: Mapping[str, Any]) -> tuple[Objective, ...]:
    """Set the objectives of an endpoint, in the place of what was declared before. Raises: InvalidInput."""
    uow.by.require(Role.DEVELOPER)
    if not endpoint or len(endpoint) > MAX_NAME or not endpoint.isprintable():
        raise InvalidInput(field="endpoint", value=endpoint, wanted=f"1 to {MAX_NAME} printable characters")
    found = declaration.parse(declared)
    row = uow.session.get(ObjectivesRow, endpoint)
    if row is None:
        row = ObjectivesRow(endpoint=endpoint)
        uow.session.add(row)
    elif row.declared == dict(declared):
        return found
    row.declared, row.declared_at, row.declared_by = dict(declared), uow.clock.now(), uow.by.name
    uow.audit("objectives.declared", f"endpoint/{endpoint}", objectives=[each.name for each in found])
    return found


def withdraw(uow: UnitOfWork, endpoint: str) -> tuple[Objective, ...]:
    """Go back to the defaults."""
    uow.by.require(Role.DEVELOPER)
    row = uow.session.get(ObjectivesRow, endpoint) if "\0" not in endpoint else None
    if row is not None:
        uow.session.delete(row)
        uow.audit("objectives.withdrawn", f"endpoint/{endpoint}")
    return declaration.DEFAULTS


def declared(uow: UnitOfWork, endpoint: str) -> dict[str, Any] | None:
    """What was declared, as it was; None where the defaults hold."""
    uow.by.require(Role.VIEWER)
    row = uow.session.get(ObjectivesRow, endpoint) if "\0" not in endpoint else None
    return None if row is None else row.declared


def objectives(uow: UnitOfWork, endpoint: str) -> tuple[Objective, ...]:
    return declaration.parse(declared(uow, endpoint))


def endpoints(uow: UnitOfWork) -> list[str]:
    """Endpoints that have objectives of their own, or were asked within 90 days."""
    uow.by.require(Role.VIEWER)
    since_s = _second(uow.clock.now()) - int(declaration.MAX_DAYS * burning.DAY_S)
    asked = select(TallyRow.endpoint).where(TallyRow.span_s == HOUR_S, TallyRow.at_s >= since_s).distinct()
    return sorted({*uow.session.scalars(asked), *uow.session.scalars(select(ObjectivesRow.endpoint))})


def all_standings(uow: UnitOfWork) -> list[Standing]:
    return [each for endpoint in endpoints(uow) for each in standings(uow, endpoint)]


def standings(uow: UnitOfWork, endpoint: str, *, until: datetime | None = None) -> list[Standing]:
    """How each objective of an endpoint stands at a moment, now unless said otherwise."""
    until = until or uow.clock.now()
    wanted = objectives(uow, endpoint)
    if "\0" in endpoint:
        wanted, endpoint = declaration.DEFAULTS, endpoint.replace("\0", "")
    recent = _recent(uow, endpoint, until)
    return [
        _standing(endpoint, each, _window(uow, endpoint, each, until), recent.get(_key(each), {}), until)
        for each in wanted
    ]


def tally(uow: UnitOfWork, endpoint: str, measure: str, *, since: datetime, until: datetime) -> Tally:
    """Events of a measure in a span, to the hour."""
    uow.by.require(Role.VIEWER)
    row = uow.session.execute(
        _sums(endpoint).where(
            TallyRow.measure == measure,
            TallyRow.span_s == HOUR_S,
            TallyRow.at_s > _second(since) - HOUR_S,
            TallyRow.at_s <= _second(until),
        )
    ).one()
    return Tally(int(row.total or 0), int(row.good or 0), float(row.amount or 0))


def minutes(
    uow: UnitOfWork, endpoint: str | None, measures: Sequence[str], *, since: datetime, until: datetime, step_s: int
) -> dict[str, dict[datetime, Tally]]:
    """Tallies of measures cut into steps of minutes (at least 60 s), or of hours where the step is one or more."""
    uow.by.require(Role.VIEWER)
    span_s = HOUR_S if step_s % HOUR_S == 0 else MINUTE_S
    step = (TallyRow.at_s // step_s * step_s).label("step")
    query = (
        select(
            TallyRow.measure,
            step,
            func.sum(TallyRow.total).label("total"),
            func.sum(TallyRow.good).label("good"),
            func.sum(TallyRow.amount).label("amount"),
        )
        .where(TallyRow.span_s == span_s, TallyRow.measure.in_(measures))
        .where(TallyRow.at_s >= _second(since) // step_s * step_s, TallyRow.at_s <= _second(until))
        .group_by(TallyRow.measure, step)
    )
    if endpoint is not None:
        query = query.where(TallyRow.endpoint == endpoint)
    found: dict[str, dict[datetime, Tally]] = {measure: {} for measure in measures}
    for row in uow.session.execute(query):
        at = instant_of(int(row.step) * 1_000_000)
        found[row.measure][at] = Tally(int(row.total), int(row.good), float(row.amount))
    return found


def _key(objective: Objective) -> str:
    return objective.name if objective.measure is Measure.LATENCY else str(objective.measure)


def _sums(endpoint: str) -> Any:
    return select(
        func.sum(TallyRow.total).label("total"),
        func.sum(TallyRow.good).label("good"),
        func.sum(TallyRow.amount).label("amount"),
    ).where(TallyRow.endpoint == endpoint)


def _window(uow: UnitOfWork, endpoint: str, objective: Objective, until: datetime) -> Tally:
    since = until - timedelta(seconds=objective.window_s)
    return tally(uow, endpoint, _key(objective), since=since, until=until)


def _recent(uow: UnitOfWork, endpoint: str, until: datetime) -> dict[str, dict[int, Tally]]:
    """Tallies of every measure over the windows of the burn rates, in one look; the minute that runs counts."""
    until_s = _second(until)
    columns = []
    for span_s in burning.WINDOWS_S:
        inside = TallyRow.at_s > until_s - span_s - MINUTE_S
        for name in ("total", "good", "amount"):
            columns.append(func.sum(case((inside, getattr(TallyRow, name)), else_=0)).label(f"{name}_{span_s}"))
    rows = uow.session.execute(
        select(TallyRow.measure, *columns)
        .where(
            TallyRow.endpoint == endpoint,
            TallyRow.span_s == MINUTE_S,
            TallyRow.at_s > until_s - max(burning.WINDOWS_S) - MINUTE_S,
            TallyRow.at_s <= until_s,
        )
        .group_by(TallyRow.measure)
    )
    found: dict[str, dict[int, Tally]] = {}
    for row in rows:
        of = row._mapping
        found[row.measure] = {
            s: Tally(int(of[f"total_{s}"]), int(of[f"good_{s}"]), float(of[f"amount_{s}"])) for s in burning.WINDOWS_S
        }
    return found


def _standing(
    endpoint: str, objective: Objective, whole: Tally, recent: Mapping[int, Tally], until: datetime
) -> Standing:
    nothing = {span_s: Tally() for span_s in burning.WINDOWS_S}
    burns = tuple(burning.burn(objective, pair, {**nothing, **recent}) for pair in burning.pairs_of(objective))
    left = budget_left(objective, whole)
    state, firing = _state(objective, whole, left, burns), next((each for each in burns if each.is_firing), None)
    return Standing(
        endpoint=endpoint,
        name=objective.name,
        measure=objective.measure,
        target=objective.target,
        window_days=objective.window_days,
        within_ms=objective.within_ms,
        is_default=objective.is_default,
        state=state,
        value=_value(objective, whole),
        total=whole.total,
        bad=whole.bad,
        budget_left=left,
        severity=firing.severity if firing else None,
        sentence=sentence(objective, whole, state, left, firing),
        burns=burns,
        until=until,
    )


def _value(objective: Objective, whole: Tally) -> float | None:
    if not whole.total:
        return None
    if objective.measure is Measure.MEAN_LATENCY:
        return whole.amount / whole.total
    return whole.good / whole.total


def budget_left(objective: Objective, whole: Tally) -> float | None:
    """Share of the window's budget that is left; None without events or budget."""
    used = burning.rate(objective, whole)
    if used is None or (objective.budget <= 0 and objective.measure is not Measure.MEAN_LATENCY):
        return None
    return 1 - used


def _state(objective: Objective, whole: Tally, left: float | None, burns: Sequence[Burn]) -> State:
    if not whole.total:
        return State.NO_DATA
    is_over = (left is not None and left < 0) or (objective.budget <= 0 and whole.bad > 0)
    if is_over:
        # A budget of less than one event is used up by the first bad one, which says nothing yet.
        is_clear = whole.total * objective.budget >= 1 or burning.is_sure(objective, whole)
        return State.BROKEN if is_clear else State.NOT_ENOUGH
    if any(each.is_firing for each in burns):
        return State.BURNING
    return State.NOT_ENOUGH if any(each.is_thin for each in burns) else State.MET


def _second(instant: datetime) -> int:
    return microseconds(instant) // 1_000_000
