"""Policies of endpoints and what they found, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import Workspace
from opsloop.guardrails.errors import PolicyChanged
from opsloop.guardrails.models import Action, Hit
from opsloop.guardrails.policy import NOTHING, default
from opsloop.monitoring import guardrail_hits, records
from opsloop.monitoring.models import HitCount, RequestRecord
from opsloop.releases import guarding, routing, service


@pytest.fixture
def endpoint(workspace: Workspace, admin: Caller) -> str:
    with workspace.writing(admin) as uow:
        return service.create_endpoint(uow, "chat").name


def test_the_policy_travels_with_the_routing_table(workspace: Workspace, admin: Caller, endpoint: str) -> None:
    with workspace.reading(admin) as uow:
        before = routing.routing_table(uow)
    assert before.routes[endpoint].guardrails == default() != NOTHING
    with workspace.writing(admin) as uow:
        guarding.put(uow, endpoint, {"answers": {"iban": "block"}})
    with workspace.reading(admin) as uow:
        after = routing.routing_table(uow)
    assert after.version > before.version
    assert after.routes[endpoint].guardrails.answers == {"iban": Action.BLOCK}


def test_each_change_has_a_version_and_stands_on_the_record(workspace: Workspace, admin: Caller, endpoint: str) -> None:
    for declared, version in (({"answers": {"iban": "block"}}, 2), ({"answers": {"iban": "block"}}, 2), ({}, 3)):
        with workspace.writing(admin) as uow:
            assert guarding.put(uow, endpoint, declared).version == version
    with pytest.raises(PolicyChanged, match="at version 3, not 2"), workspace.writing(admin) as uow:
        guarding.put(uow, endpoint, {"answers": {"iban": "flag"}}, expected=2)
    with workspace.reading(admin) as uow:
        changes = [each.detail for each in audit.listed(uow) if each.action == "guardrails.changed"]
    assert [each["version"] for each in changes] == [3, 2]
    assert changes[0]["before"]["answers"] == {"iban": "block"}
    assert changes[0]["after"]["answers"] == {}


def test_who_may_not_and_what_is_not_there_is_refused(workspace: Workspace, admin: Caller, endpoint: str) -> None:
    with pytest.raises(NotAllowed), workspace.writing(Caller("key:d", Role.DEVELOPER)) as uow:
        guarding.put(uow, endpoint, {})
    with pytest.raises(NotFound), workspace.writing(admin) as uow:
        guarding.put(uow, "nobody", {})
    with pytest.raises(InvalidInput), workspace.writing(admin) as uow:
        guarding.put(uow, endpoint, {"answers": {"emial": "redact"}})


def test_hits_are_counted_per_arm_kind_direction_and_action(workspace: Workspace, admin: Caller) -> None:
    email, card = Hit("email", "request", Action.FLAG), Hit("payment_card", "answer", Action.REDACT, 2)
    found: list[tuple[Hit, ...]] = [(email,), (email, card), (email, card), ()]
    kept = [
        RequestRecord(
            request_id=f"req_{number}", endpoint="chat", release="r", arm="stable", subject="s",
            started_at=workspace.clock.now() - timedelta(seconds=number), duration_ms=1.0, status="ok", hits=hits,
        )
        for number, hits in enumerate(found)
    ]  # fmt: skip
    with workspace.writing(admin) as uow:
        records.ingest(uow, kept)
    with workspace.reading(admin) as uow:
        report = guardrail_hits.report(uow, "chat", 60)
        stored = {record.request_id: record.hits for _, record in records.newest(uow)}
        assert guardrail_hits.report(uow, "other", 60).counts == ()
        with pytest.raises(InvalidInput):
            guardrail_hits.report(uow, "chat", 0)
    assert (report.requests, report.guarded) == (4, 2)
    assert report.counts == (
        HitCount("stable", "email", "request", Action.FLAG, requests=3, places=3),
        HitCount("stable", "payment_card", "answer", Action.REDACT, requests=2, places=4),
    )
    assert stored == {f"req_{number}": hits for number, hits in enumerate(found)}
