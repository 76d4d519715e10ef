"""Endpoints: what serves, the history of releases, the figures of the last hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring import intervals
from opsloop.releases import service as releases
from opsloop.releases.models import EndpointState
from opsloop.remediation.assistant.models import Text
from opsloop.remediation.assistant.sources.records import at, lines

HOUR = timedelta(hours=1)
MOST_RELEASES = 30


def texts(uow: UnitOfWork, incident: str | None) -> Iterator[Text]:
    for state in releases.endpoints(uow):
        name = state.endpoint.name
        said = [*_state(state), *_figures(uow, name), *_history(uow, name)]
        yield Text(f"endpoint/{name}", f"endpoint {name}", f"/endpoints/{name}", lines(said))


def _state(state: EndpointState) -> Iterator[str]:
    name = state.endpoint.name
    if state.stable is not None:
        yield f"Endpoint {name} serves release {state.stable.number}, which is {state.stable.serves}"
    if state.candidate is not None:
        yield f"Release {state.candidate.number} of {name}, {state.candidate.serves}, is its candidate"
    if state.rollout is not None:
        share, status = state.rollout.share, state.rollout.status.value
        yield f"The newest rollout of {name}, of release {state.rollout.number}, is {status} at a share of {share:.0%}"


def _figures(uow: UnitOfWork, name: str) -> Iterator[str]:
    now = uow.clock.now()
    numbers = {str(each.id): str(each.number) for each in releases.releases(uow, name)}
    counts: dict[str, tuple[int, int]] = {}
    for each in intervals.listed(uow, since=now - HOUR, until=now, endpoints=[name]):
        requests, errors = counts.get(each.release, (0, 0))
        counts[each.release] = requests + each.requests, errors + each.errors
    for release, (requests, errors) in sorted(counts.items()):
        share = 100 * errors / requests if requests else 0.0
        number = numbers.get(release, release)
        yield f"In the last hour release {number} of {name} failed {errors} of {requests} requests ({share:.1f} %)"


def _history(uow: UnitOfWork, name: str) -> Iterator[str]:
    for each in releases.releases(uow, name)[:MOST_RELEASES]:
        yield f"Release {each.number} of {name} is {each.serves}, made at {at(each.created_at)} by {each.created_by}"
        if each.left_for:
            yield f"Release {each.number} of {name} was left for: {each.left_for}"
