"""What the page of a rollout says of a shadow, and the overview of trouble after one."""

from __future__ import annotations

from datetime import timedelta

from opsloop.monitoring import records
from opsloop.monitoring.models import BESIDE, RequestRecord
from opsloop.releases import routing, triggers
from opsloop.releases import service as releases
from tests.integration.console.conftest import ADMIN, Platform, browser


def asked_in_the_shadow(platform: Platform, endpoint: str, alike: list[float]) -> None:
    with platform.workspace.reading(ADMIN) as uow:
        route = routing.routing_table(uow).routes[endpoint]
    assert route.stable is not None
    assert route.candidate is not None
    at = platform.clock.now() - timedelta(seconds=1)
    made = []
    for number, agreement in enumerate(alike):
        shared = {
            "endpoint": endpoint,
            "rollout": route.rollout,
            "subject": f"s{number}",
            "started_at": at,
            "status": "ok",
        }
        both = {"candidate_share": 0.0, "duration_ms": 50.0, "tokens_in": 7, **shared}
        made.append(RequestRecord(request_id=f"r{number}", release=route.stable.release, arm="stable", **both))  # type: ignore[arg-type]  # one mapping for both
        made.append(
            RequestRecord(
                request_id=f"r{number}{BESIDE}",
                release=route.candidate.release,
                arm="candidate",
                shadow=True,
                agreement=agreement,
                **both,  # type: ignore[arg-type]  # as above
            )
        )
    with platform.workspace.writing(ADMIN) as uow:
        records.ingest(uow, made)


def test_the_pairs_that_differ_most_are_named(platform: Platform) -> None:
    name, one, other = platform.endpoint(), platform.flow("."), platform.flow("!")
    with platform.workspace.writing(ADMIN) as uow:
        releases.create_release(uow, name, flow=one)
        made = releases.create_release(uow, name, flow=other, strategy={"shadow": {"safe_to_repeat": True}})
    platform.drive(made.rollout.id)
    asked_in_the_shadow(platform, name, [1.0, 0.25, 0.5])
    platform.drive(made.rollout.id, seconds=2)
    with browser(platform.workspace) as client:
        page = client.get(f"/rollouts/{made.rollout.id}").text
    assert "3 pairs of answers, alike by 58.3 % on average" in page
    assert page.index("<code>r1</code>") < page.index("<code>r2</code>")
    assert "<code>r0</code>" not in page


def test_trouble_after_a_rollout_stands_on_the_overview(platform: Platform) -> None:
    name, one, other = platform.endpoint(), platform.flow("."), platform.flow("!")
    with platform.workspace.writing(ADMIN) as uow:
        releases.create_release(uow, name, flow=one)
        bake = {"bake": {"bake_s": 60, "on_trigger": "rollback"}}
        releases.create_release(uow, name, flow=other, strategy={"blue-green": bake})
        triggers.pull(uow, name, cause="slo", reason="the error budget burns")
    with browser(platform.workspace) as client:
        assert "back from release 2 to 1, slo: the error budget burns" in client.get("/").text
        assert "left: slo: the error budget burns" in client.get(f"/endpoints/{name}").text
