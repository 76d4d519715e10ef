"""IP addresses, version 4 and 6; those that name no machine of somebody (loopback, unspecified) do not count."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(rf"(?<![\w.-])(?:{_OCTET}\.){{3}}{_OCTET}(?![\w-]|\.[0-9])")
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{4,39}(?![\w:])")
_VERSION = re.compile(r"(?:version|release|build|\bv\.?)\s*\Z", re.IGNORECASE)


@detector("ip_address", may_hold=lambda text: "." in text or ":" in text)
def ip_address(text: str, before: WordsBefore) -> Iterator[Finding]:
    for pattern in (_V4, _V6):
        for written in pattern.finditer(text):
            if pattern is _V6 and written[0].count(":") < 2:
                continue
            if _is_somebodys(written[0]) and not before.say(written.start(), _VERSION):
                yield Finding("ip_address", written.start(), written.end(), 0.8)


def _is_somebodys(written: str) -> bool:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)
