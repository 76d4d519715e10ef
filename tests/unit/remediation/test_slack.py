"""Slack's signature against the example that Slack publishes, and what a message may hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsloop.remediation.models import Level, Preview, Remediation, RemediationId, State
from opsloop.remediation.slack import message, signing
from opsloop.remediation.slack.buttons import Pair

# Source: https://docs.slack.dev/authentication/verifying-requests-from-slack, step by step walk-through.
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
    b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
    b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
    b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
SECOND = "1531420618"
NOW = datetime.fromtimestamp(int(SECOND), UTC)
HEADERS = {signing.STAMP: SECOND, signing.SIGNATURE: SIGNATURE}


def test_the_signature_is_the_one_that_slack_publishes() -> None:
    assert signing.signature(SECRET, SECOND, BODY) == SIGNATURE
    assert signing.is_signed(SECRET, HEADERS, BODY, NOW)


@pytest.mark.parametrize(
    ("secret", "headers", "body", "late_s"),
    [
        ("another", HEADERS, BODY, 0),
        (None, HEADERS, BODY, 0),
        ("", HEADERS, BODY, 0),
        (SECRET, HEADERS, BODY + b"&more=1", 0),
        (SECRET, HEADERS, BODY, 301),
        (SECRET, HEADERS, BODY, -301),
        (SECRET, HEADERS | {signing.STAMP: "1531420619"}, BODY, 0),
        (SECRET, HEADERS | {signing.STAMP: "\u0661"}, BODY, 0),
        (SECRET, HEADERS | {signing.STAMP: "1e9"}, BODY, 0),
        (SECRET, HEADERS | {signing.SIGNATURE: SIGNATURE.upper()}, BODY, 0),
        (SECRET, HEADERS | {signing.SIGNATURE: "v0=\xe9\u2028"}, BODY, 0),
        (SECRET, {signing.SIGNATURE: SIGNATURE}, BODY, 0),
        (SECRET, {}, BODY, 0),
    ],
)
def test_what_is_not_signed_now_with_the_secret_is_not(
    secret: str | None, headers: dict[str, str], body: bytes, late_s: float
) -> None:
    assert not signing.is_signed(secret, headers, body, NOW + timedelta(seconds=late_s))


def test_a_message_holds_neither_digest_nor_parameters_and_escapes_what_incidents_say() -> None:
    asked = Remediation(
        RemediationId("remediation_1"), "incident_1", "roll-back-release", "Roll back", "endpoint/chat", "chat",
        "default", Level.SCRIPT, (), State.PROPOSED, False, ("<!channel> <https://evil.example|here> & more",) * 50,
        ("a" * 9_000,), (), (), (), "", "release.rollback", {"secret_parameter": 1},
        Preview("release 1 <serves>", "revision"), "d1e5" * 16, 2, (), "system:remediation", NOW,
        NOW + timedelta(seconds=900), False, None, "", False, (), None, "",
    )  # fmt: skip
    for said in (message.asking(asked, Pair("yes-secret", "no-secret")), message.answered(asked, "approved by <x>")):
        text = str(said)
        assert "<" not in text
        assert "d1e5d1e5" not in text
        assert "secret_parameter" not in text
        assert all(len(each.get("text", {}).get("text", "")) <= 3_000 for each in said["blocks"])
    (actions,) = [each for each in message.asking(asked, Pair("y", "n"))["blocks"] if each["type"] == "actions"]
    assert [each["value"] for each in actions["elements"]] == ["y", "n"]
    assert "2 people's yes" in str(message.asking(replace(asked, needed=2), Pair("y", "n")))
