"""What may be fetched, and where a URL leads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from opsloop.core.errors import InvalidInput
from opsloop.core.fetching import addresses
from opsloop.core.fetching.errors import UrlNotAllowed

LONGEST_URL = 2_000
PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?P<name>(?:\*\.)?[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Host:
    """A host that may be asked: `docs.example.org`, `*.example.org` for all below it, `wiki.example.org:8090`."""

    name: str
    port: int | None = None

    def covers(self, host: str, port: int) -> bool:
        is_named = host.endswith(self.name[1:]) if self.name.startswith("*.") else host == self.name
        return is_named and (port == self.port if self.port is not None else port in PORTS.values())


def hosts(text: str, *, field: str) -> tuple[Host, ...]:
    """Hosts as a list with commas. Raises: InvalidInput naming the field and the entry."""
    return tuple(_host(each.strip().lower(), field) for each in text.split(",") if each.strip())


def _host(text: str, field: str) -> Host:
    found = _HOST.fullmatch(text)
    if found is None or int(found["port"] or 1) not in range(1, 65_536):
        wanted = "hosts with commas between them: docs.example.org, *.example.org or wiki.example.org:8090"
        raise InvalidInput(field=field, value=text, wanted=wanted)
    return Host(found["name"].strip("[]").rstrip("."), int(found["port"]) if found["port"] else None)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a URL may be, and how much is taken of it.

    Attributes:
        hosts: the only hosts to ask; None: any.
        is_public_only: whether all addresses of a host must be of the public web.
        any_port: also others than 80 and 443; a host of `hosts` may name its own.
        timeout_s: for everything, redirects as well.
        hint: the setting behind these, for sentences, such as " (OPSLOOP_IMAGE_URLS=any allows others)".
    """

    limit_bytes: int
    timeout_s: float
    hosts: Sequence[Host] | None = None
    is_public_only: bool = True
    any_port: bool = False
    hint: str = ""

    def check_addresses(self, url: str, found: Sequence[str]) -> None:
        """Raises: UrlNotAllowed when one of them is none to connect to: which one a name gives first is chance."""
        if any(addresses.is_never_asked(each) for each in found):
            raise UrlNotAllowed(url=url, wanted=f"an address of the public web{self.hint}")
        if self.is_public_only and not all(addresses.is_public(each) for each in found):
            raise UrlNotAllowed(url=url, wanted=f"an address of the public web{self.hint}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: what to look up, what to ask for there.

    Attributes:
        shown: the URL as sentences and records show it, without query and fragment, which may hold a key.
        target: path and query, as a request says them.
    """

    url: str
    shown: str
    is_secure: bool
    host: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS["https" if self.is_secure else "http"] else f"{name}:{self.port}"


def place_of(url: str, rules: Rules) -> Place:
    """Raises: UrlNotAllowed."""
    parts = _parts(url)
    host = _ascii(parts.hostname or "", url)
    port = parts.port or PORTS[parts.scheme]
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    place = Place(
        url=url,
        shown=shown(url),
        is_secure=parts.scheme == "https",
        host=host,
        port=port,
        target=path + (f"?{quote(parts.query, safe='/?%:@!$&()*+,;=~-._[]')}" if parts.query else ""),
    )
    _check(place, rules)
    return place


def shown(url: str) -> str:
    """A URL as it can be stored and shown: without user, query and fragment, which may hold a key."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    netloc, path = parts.netloc.rpartition("@")[2], parts.path.rpartition("@")[2] if not parts.netloc else parts.path
    found = urlunsplit((parts.scheme, netloc, path, "", ""))[:LONGEST_URL]
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in found)


def _parts(url: str) -> SplitResult:
    wanted = f"an http:// or https:// URL of at most {LONGEST_URL:,} characters, without a user and a password in it"
    # `urlsplit` drops tabs and line ends without a word, and takes a backslash for a letter of the host's name.
    is_plain = url.isprintable() and not any(each in url for each in " \\") and len(url) <= LONGEST_URL
    try:
        parts = urlsplit(url) if is_plain else None
        is_usable = parts is not None and parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, is_usable = None, False
    if parts is None or not is_usable or "@" in parts.netloc:
        raise UrlNotAllowed(url=shown(url), wanted=wanted)
    return parts


def _ascii(host: str, url: str) -> str:
    """A host's name as the network's name servers know it."""
    try:
        # A scope such as %eth0 chooses a network card of this machine.
        found = host if ":" in host and "%" not in host else host.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        found = ""
    if not found or not re.fullmatch(r"[a-z0-9_.:-]+", found):
        raise UrlNotAllowed(url=shown(url), wanted="a URL with the name of a host")
    return found


def _check(place: Place, rules: Rules) -> None:
    if rules.hosts is not None:
        if not any(each.covers(place.host, place.port) for each in rules.hosts):
            raise UrlNotAllowed(url=place.shown, wanted=f"a URL of a host and port that is allowed{rules.hint}")
    elif not rules.any_port and place.port not in PORTS.values():
        raise UrlNotAllowed(url=place.shown, wanted="a URL with port 80 or 443")
