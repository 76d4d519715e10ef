"""Where notices go: URLs that are checked, shown without their secrets, and looked up only when something is sent."""

from __future__ import annotations

import os
import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from opsloop.core.fetching import addresses
from opsloop.core.notices.errors import AddressInvalid

LONGEST = 2_000
_MAIL = re.compile(r"mailto:[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_REFERENCE = re.compile(r"\$\{env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")


def is_reference(text: str) -> bool:
    """Whether a text is `${env:NAME}`: the value is looked up when it is used, and is kept nowhere."""
    return _REFERENCE.fullmatch(text) is not None


def resolved(field: str, text: str) -> str:
    """The text itself, or what the environment has under the name in `${env:NAME}`.

    Raises: AddressInvalid when the environment has none.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return text
    value = os.environ.get(found["name"], "")
    if not value:
        raise AddressInvalid(
            f"{field}: the environment variable {found['name']} is not set; set it where the platform runs", field=field
        )
    return value.strip()


def check(url: str, *, field: str = "url") -> None:
    """Raises: AddressInvalid when nothing could be sent to it; a reference to the environment is taken as it is."""
    if not is_reference(url) and not is_mail(url):
        parts(url, field=field)


def is_mail(url: str) -> bool:
    """Whether it is the address of a mailbox: `mailto:oncall@example.com`."""
    return len(url) <= LONGEST and _MAIL.fullmatch(url) is not None


def parts(url: str, *, field: str = "url") -> SplitResult:
    """Raises: AddressInvalid."""
    wanted = f"{field}: wanted an http:// or https:// URL of at most {LONGEST:,} characters, or ${{env:NAME}}"
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError:
        raise AddressInvalid(wanted, field=field) from None
    plain = url.isascii() and url.isprintable() and " " not in url
    if found.scheme not in ("http", "https") or not found.hostname or not plain or len(url) > LONGEST:
        raise AddressInvalid(wanted, field=field)
    return found


def shown(url: str) -> str:
    """What may be shown of a URL: its host. Path and query are secrets of Slack's and of others."""
    if is_reference(url):
        return url
    if is_mail(url):
        return f"mailto:{url[7]}…@{url.rpartition('@')[2]}"
    found = parts(url)
    port = f":{found.port}" if found.port is not None else ""
    return f"{found.scheme}://{found.hostname}{port}"


def is_private(host: str) -> bool | None:
    """Whether an IP address is none of the public web; None for a name."""
    try:
        found = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return not addresses.is_public(str(found))
