"""Signatures: made and checked, in both forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opsloop.core.notices import signatures

AT = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
BODY = b'{"run": "training_1"}'


def test_the_hub_form_is_the_one_that_github_documents() -> None:
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    signed = signatures.hub("It's a Secret to Everybody", b"Hello, World!")
    assert signed == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signatures.is_hub("It's a Secret to Everybody", b"Hello, World!", signed)


def test_a_stamped_body_is_taken_with_its_secret_within_five_minutes() -> None:
    header = signatures.stamped("s3cret", BODY, AT)
    assert header.startswith("t=1795662000,v1=")
    assert signatures.is_stamped("s3cret", BODY, header, AT + timedelta(seconds=299))


@pytest.mark.parametrize(
    ("secret", "body", "later_s"),
    [("other", BODY, 0), ("s3cret", b"{}", 0), ("s3cret", BODY, 301), ("s3cret", BODY, -301)],
)
def test_another_secret_body_or_time_is_refused(secret: str, body: bytes, later_s: int) -> None:
    header = signatures.stamped("s3cret", BODY, AT)
    assert not signatures.is_stamped(secret, body, header, AT + timedelta(seconds=later_s))


@pytest.mark.parametrize("header", ["", "sha256=", "t=1,v1=", "sha1=00", "t=x,v1=" + "0" * 64, "sha256=" + "é" * 64])
def test_what_is_no_signature_is_refused(header: str) -> None:
    assert not signatures.is_hub("s3cret", BODY, header)
    assert not signatures.is_stamped("s3cret", BODY, header, AT)
