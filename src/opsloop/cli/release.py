"""`opsloop release`: bring flows and models to an endpoint's traffic, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import release_diff, release_permits, release_report, text
from opsloop.cli.rollouts import act_on, newest, state_of
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.client.http import Client
    from opsloop.releases.models import EndpointState, RolloutEvent, RolloutHistory


@noun("release")
def release() -> None:
    """Bring flows and models to an endpoint's traffic, and back."""


for _command in (*release_permits.COMMANDS, *release_report.COMMANDS, *release_diff.COMMANDS):
    release.add_command(_command)


@verb(
    release,
    "create",
    example="""opsloop release create support-chat --flow answer@2 --evaluation run_01j… --strategy canary
    opsloop release create support-chat --flow answer@2 --strategy '{"canary": {"steps": [{"share": 0.1}]}}'
    opsloop release create iris --model iris@challenger --strategy shadow""",
)
@click.argument("endpoint")
@click.option("--flow", metavar="NAME@V", help="The flow version to release.")
@click.option("--model", metavar="NAME@V|NAME@ALIAS", help="The model version to release.")
@click.option("--evaluation", metavar="RUN", help="The evaluation whose gate lets it in.")
@click.option(
    "--strategy", metavar="NAME|JSON", help="How it gets traffic: ab, blue-green, canary, shadow, or JSON with options."
)
@click.option("--config", metavar="JSON", default="{}", help="Settings of the release, as a JSON object.")
def create(
    session: Session,
    endpoint: str,
    flow: str | None,
    model: str | None,
    evaluation: str | None,
    strategy: str | None,
    config: str,
) -> None:
    """Release a version of a flow or of a model to ENDPOINT. Exit code 6 when the gate does not let it in."""
    if (flow is None) == (model is None):
        raise click.UsageError("name what to release: one of --flow NAME@V and --model NAME@V")
    plan: dict[str, Any] | str | None = strategy
    if strategy is not None and strategy.lstrip().startswith("{"):
        plan = _object(strategy, "--strategy")
    with session.client() as client:
        released = client.endpoints.release(
            endpoint,
            flow=flow,
            model=model,
            config=_object(config, "--config"),
            evaluation=evaluation,
            strategy=plan,
        )
    session.answer(released, lambda: f"release {released.release.number} of {endpoint}: {state_of(released.rollout)}")


@verb(release, "list", example="opsloop release list support-chat")
@click.argument("endpoint", required=False)
def listed(session: Session, endpoint: str | None) -> None:
    """List the releases of ENDPOINT; without it, all endpoints and what they serve."""
    with session.client() as client:
        if endpoint is None:
            states = client.endpoints.listed()
            session.answer({"items": states}, lambda: _endpoints(states))
            return
        releases = client.endpoints.releases(endpoint)
    rows = [
        (each.number, each.serves, each.gate, each.evaluation, each.created_at, each.created_by) for each in releases
    ]
    words = text.table(("no", "serves", "gate", "evaluation", "created", "by"), rows)
    session.answer({"items": releases}, words or f"{endpoint} has no release yet")


@verb(release, "promote", example="opsloop release promote support-chat")
@click.argument("endpoint")
def promote(session: Session, endpoint: str) -> None:
    """Give the candidate of ENDPOINT all traffic now."""
    _act(session, endpoint, "promote")


@verb(release, "pause", example="opsloop release pause support-chat")
@click.argument("endpoint")
def pause(session: Session, endpoint: str) -> None:
    """Keep the share of the running rollout of ENDPOINT where it is."""
    _act(session, endpoint, "pause")


@verb(release, "resume", example="opsloop release resume support-chat")
@click.argument("endpoint")
def resume(session: Session, endpoint: str) -> None:
    """Let the paused rollout of ENDPOINT go on."""
    _act(session, endpoint, "resume")


@verb(release, "rollback", example="opsloop release rollback support-chat")
@click.argument("endpoint")
def rollback(session: Session, endpoint: str) -> None:
    """Take the running rollout of ENDPOINT back, or ENDPOINT to the release before."""
    with session.client() as client:
        state = client.endpoints.roll_back(endpoint)
    session.answer(state, lambda: _serves(state))


@verb(release, "reinstate", example='opsloop release reinstate support-chat 4 --reason "release 3 failed more"')
@click.argument("endpoint")
@click.argument("number", metavar="RELEASE", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="Why, for the record.")
def reinstate(session: Session, endpoint: str, number: int, reason: str) -> None:
    """Let RELEASE serve everybody of ENDPOINT again, which did before and was left. Exit code 5 when it cannot."""
    with session.client() as client:
        state = client.endpoints.reinstate(endpoint, release=number, reason=reason)
    session.answer(state, lambda: _serves(state))


@verb(release, "abort", example="opsloop release abort support-chat")
@click.argument("endpoint")
def abort(session: Session, endpoint: str) -> None:
    """Give the running rollout of ENDPOINT up, without a judgement on its candidate."""
    _act(session, endpoint, "abort")


@verb(release, "watch", example="opsloop release watch support-chat --timeout 600")
@click.argument("endpoint")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0), metavar="SECONDS", help="Stop waiting after this.")
def watch(session: Session, endpoint: str, timeout_s: float | None) -> None:
    """Follow the newest rollout of ENDPOINT until it is over.

    Exit code 0 when it was promoted, 6 when it was taken back, 8 when the time ended first.
    """
    from opsloop.core.errors import AnswerIsNo, StillPending
    from opsloop.releases.models import RolloutStatus

    with session.client() as client:
        history = _watched(session, client, newest(client, endpoint), timeout_s)
    session.answer(history, lambda: f"{endpoint}: {state_of(history.rollout)}")
    if not history.rollout.status.is_over:
        raise StillPending(f"the rollout of {endpoint} goes on; watch it again with `opsloop release watch {endpoint}`")
    if history.rollout.status is not RolloutStatus.PROMOTED:
        raise AnswerIsNo(f"release {history.rollout.number} of {endpoint} was taken back: {history.rollout.reason}")


@verb(
    release,
    "history",
    example="""opsloop release history support-chat
    opsloop release history support-chat --all""",
)
@click.argument("endpoint")
@click.option("--all", "whole", is_flag=True, help="Of all rollouts, the newest first.")
def history(session: Session, endpoint: str, whole: bool) -> None:
    """Show what happened in the newest rollout of ENDPOINT, or in all of them: when, what, who, why."""
    with session.client() as client:
        if whole:
            entries = client.endpoints.history(endpoint)
            rows = [
                (each.at, each.number, each.kind, text.percent(each.share), each.by, each.sentence) for each in entries
            ]
            words = text.table(("at (utc)", "release", "what", "share", "by", "why"), rows)
            session.answer({"items": entries}, words or f"nothing happened to {endpoint} yet")
            return
        found = client.rollouts.get(newest(client, endpoint))
    session.answer(found, lambda: "\n".join([state_of(found.rollout), "", *map(_event, found.events)]))


def _act(session: Session, endpoint: str, action: str) -> None:
    act_on(session, endpoint, lambda client, rollout: getattr(client.rollouts, action)(rollout))


def _watched(session: Session, client: Client, rollout: str, timeout_s: float | None) -> RolloutHistory:
    told = 0
    found = None
    for found in client.rollouts.watch(rollout, timeout_s=timeout_s):
        for event in found.events[told:]:
            session.note(_event(event))
        told = len(found.events)
    assert found is not None  # watch tells at least once
    return found


def _event(event: RolloutEvent) -> str:
    return f"{text.moment(event.at)}  {text.percent(event.share):>6}  {event.kind:<12}  {event.sentence}"


def _serves(state: EndpointState) -> str:
    name = state.endpoint.name
    if state.stable is None:
        return f"{name} serves no release"
    return f"{name} serves release {state.stable.number} ({state.stable.serves})"


def _endpoints(states: list[EndpointState]) -> str:
    def served(state: EndpointState) -> tuple[object, ...]:
        stable, candidate, rollout = state.stable, state.candidate, state.rollout
        return (
            state.endpoint.name,
            f"{stable.number} ({stable.serves})" if stable else None,
            f"{candidate.number} ({candidate.serves})" if candidate else None,
            text.percent(rollout.share) if rollout and candidate else None,
            rollout.status if rollout else None,
        )

    words = text.table(("endpoint", "stable", "candidate", "share", "rollout"), map(served, states))
    return words or "no endpoints yet; `opsloop apply` makes those of opsloop.yaml"


def _object(given: str, option: str) -> dict[str, Any]:
    from opsloop.core.errors import InvalidInput

    try:
        found = json.loads(given)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidInput(field=option, value=given, wanted="a JSON object")
    return found
