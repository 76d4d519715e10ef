"""IP addresses, version 4 and 6; those that name no machine of somebody (loopback, unspecified) do not count."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_V4 = re.compile(r"[0-9](?<![\w.-].)[0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![\w-]|\.[0-9])", re.DOTALL)
_V6 = re.compile(r"[0-9A-Fa-f:](?<![\w:.].)[0-9A-Fa-f:]{3,38}(?![\w:])", re.DOTALL)
_MAY_BE_V6 = re.compile(r":[0-9A-Fa-f]{0,4}:")
_VERSION = re.compile(r"(?:version|release|build|\bv\.?|\bEC)\s*\Z", re.IGNORECASE)


@detector("ip_address", may_hold=lambda text: "." in text or ":" in text)
def ip_address(text: str, before: WordsBefore) -> Iterator[Finding]:
    for pattern in (_V4, _V6) if _MAY_BE_V6.search(text) else (_V4,):
        for written in pattern.finditer(text):
            if _is_somebodys(written[0]) and not before.say(written.start(), _VERSION):
                yield Finding("ip_address", written.start(), written.end(), 0.8)


def _is_somebodys(written: str) -> bool:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)
