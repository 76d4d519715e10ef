"""Names of parts: signals say `endpoint:chat`, the audit trail and root causes `endpoint/chat`."""

from __future__ import annotations


def target(name: str) -> str:
    """`endpoint:chat` as `endpoint/chat`; of a service or a host its bare name."""
    kind, colon, bare = name.partition(":")
    if not colon:
        return name
    return bare if kind in ("service", "host") else f"{kind}/{bare}"
