"""What can be wrong with a URL that is to be fetched.

UrlNotAllowed   invalid      it may not be fetched: its form, its host, or where that is
NotFetched      unavailable  it may be, and nothing usable came
FetchedTooLarge too_large    more came than is taken
"""

from __future__ import annotations

from opsloop.core.errors import InvalidInput, TooLarge, Unavailable


class UrlNotAllowed(InvalidInput):
    """Facts: `url`, without what may be secret in it, and `wanted`, as a noun phrase."""

    def __init__(self, *, url: str, wanted: str) -> None:
        super().__init__(field="url", value=url, wanted=wanted, url=url)


class NotFetched(Unavailable):
    template = "{url} cannot be fetched: {reason}"


class FetchedTooLarge(TooLarge):
    template = "{url} has more than {limit_bytes} bytes, the limit"
