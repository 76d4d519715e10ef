"""The proxy that the environment names for an address (`HTTPS_PROXY`, `NO_PROXY`)."""

from __future__ import annotations

import urllib.request
from functools import lru_cache
from urllib.parse import urlsplit


@lru_cache(maxsize=256)
def proxy_for(url: str) -> str | None:
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
