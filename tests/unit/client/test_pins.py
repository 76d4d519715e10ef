"""What `apply` leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime

from opsloop.client import pins
from opsloop.releases.models import Release, ReleaseId

BAD = "slo: the error budget burns"


def release(number: int, digest: str, left_for: str | None = None) -> Release:
    return Release(
        id=ReleaseId(f"release_{number}"),
        endpoint="chat",
        number=number,
        kind="flow",
        serves=f"answer@{number}",
        serves_digest=digest,
        serves_artifact="",
        config={},
        evaluation=None,
        gate=None,
        digest=digest,
        created_at=datetime(2027, 1, 1, tzinfo=UTC),
        created_by="test",
        left_for=left_for,
    )


def pinned(digest: str, *releases: Release) -> str:
    return pins.of(releases, lambda each: each.serves_digest == digest)


def test_what_was_left_for_a_cause_is_not_made_again() -> None:
    said = pinned("a", release(1, "z"), release(2, "a", BAD), release(3, "b", BAD))
    assert said == f"pinned: release 2 (answer@2) was left, {BAD}; change what it serves, or release it by hand"


def test_what_is_new_or_was_released_by_hand_since_is_not_pinned() -> None:
    assert pinned("new", release(1, "z"), release(2, "a", BAD)) == ""
    assert pinned("a", release(2, "a", BAD), release(4, "a")) == ""
