"""Whether Slack sent a request: `v0=` and the HMAC-SHA256 of `v0:second:body` under the app's signing secret.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

SIGNATURE = "x-slack-signature"
STAMP = "x-slack-request-timestamp"
TOLERANCE_S = 300.0
"""An older request may be one that somebody recorded. Source: the page above."""
_SECOND = re.compile(r"[0-9]{1,12}", re.ASCII)


def is_signed(secret: str | None, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Without a secret nothing is. Args: headers: by lower-case name."""
    second, given = headers.get(STAMP, ""), headers.get(SIGNATURE, "")
    if not secret or _SECOND.fullmatch(second) is None or abs(now.timestamp() - int(second)) > TOLERANCE_S:
        return False
    return hmac.compare_digest(given.encode("latin-1", "replace"), signature(secret, second, body).encode())


def signature(secret: str, second: str, body: bytes) -> str:
    """The value of `X-Slack-Signature`."""
    signed = b"v0:%s:%s" % (second.encode(), body)
    return f"v0={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
