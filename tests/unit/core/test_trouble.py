from __future__ import annotations

from structlog.testing import capture_logs

from opsloop.core.errors import Unavailable
from opsloop.core.telemetry.trouble import Trouble


def fail(trouble: Trouble, error: Exception) -> None:
    with trouble.told():
        raise error


def test_trouble_is_told_when_it_begins_when_it_changes_and_when_it_is_over() -> None:
    trouble = Trouble("events_not_delivered")
    with capture_logs() as logs:
        for _ in range(3):
            fail(trouble, Unavailable("the database is away"))
        fail(trouble, Unavailable("the disk is full"))
        for _ in range(2):
            with trouble.told():
                pass
        fail(trouble, Unavailable("the disk is full"))
    assert [(line["event"], line.get("reason")) for line in logs] == [
        ("events_not_delivered", "the database is away"),
        ("events_not_delivered", "the disk is full"),
        ("works_again", None),
        ("events_not_delivered", "the disk is full"),
    ]


def test_a_sentence_comes_without_a_traceback_and_a_defect_with_one() -> None:
    trouble = Trouble("events_not_delivered")
    with capture_logs() as logs:
        fail(trouble, Unavailable("the database is away"))
        fail(trouble, KeyError("oops"))
    assert [(line["log_level"], "exc_info" in line) for line in logs] == [("warning", False), ("error", True)]
