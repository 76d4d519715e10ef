"""Signatures of what is sent and received: HMAC-SHA256 over the body's bytes.

Two forms: with a time in it, so that an old request cannot be sent again (`t=1764115200,v1=6c0e…`, as Stripe signs
webhooks), and without (`sha256=6c0e…`, as GitHub does).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

HEADER = "X-Opsloop-Signature"
HUB_HEADER = "X-Hub-Signature-256"
TOLERANCE_S = 300.0
_STAMPED = re.compile(r"t=(?P<at>\d{1,12}),v1=(?P<digest>[0-9a-f]{64})")
_HUB = re.compile(r"sha256=(?P<digest>[0-9a-f]{64})")


def stamped(secret: str, body: bytes, at: datetime) -> str:
    """The value of `X-Opsloop-Signature`: the HMAC of the second, a dot, and the body."""
    second = int(at.timestamp())
    return f"t={second},v1={_digest(secret, f'{second}.'.encode() + body)}"


def is_stamped(secret: str, body: bytes, header: str, now: datetime, *, tolerance_s: float = TOLERANCE_S) -> bool:
    """Whether somebody with the secret signed this body, at most `tolerance_s` before or after `now`."""
    found = _STAMPED.fullmatch(header.strip())
    if found is None or abs(now.timestamp() - int(found["at"])) > tolerance_s:
        return False
    return hmac.compare_digest(found["digest"], _digest(secret, f"{found['at']}.".encode() + body))


def hub(secret: str, body: bytes) -> str:
    """The value of `X-Hub-Signature-256`."""
    return f"sha256={_digest(secret, body)}"


def is_hub(secret: str, body: bytes, header: str) -> bool:
    """Whether somebody with the secret signed this body."""
    found = _HUB.fullmatch(header.strip())
    return found is not None and hmac.compare_digest(found["digest"], _digest(secret, body))


def _digest(secret: str, data: bytes) -> str:
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
