"""Getting the bytes behind a URL that came with a flow's inputs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from opsloop.core.context import current_workspace
from opsloop.core.fetching import fetch as core
from opsloop.core.fetching.errors import FetchedTooLarge, UrlNotAllowed
from opsloop.core.fetching.rules import Rules
from opsloop.core.settings import Section, read
from opsloop.flows.errors import InputInvalid
from opsloop.flows.images import SIZE_LIMIT_BYTES

TIMEOUT_S = 20.0


class FetchSettings(Section):
    image_urls: Literal["public", "any", "off"] = Field(
        "public",
        description="Which addresses images of flows' inputs are fetched from; public: none of a private network, "
        "ports 80 and 443; any: all but link-local ones and those of a cloud's metadata.",
    )


def fetch(url: str) -> bytes:
    """The bytes behind a URL. Raises: InputInvalid when it may not be fetched, NotFetched."""
    workspace = current_workspace.get(None)
    allowed = (read(FetchSettings) if workspace is None else workspace.section(FetchSettings)).image_urls
    if allowed == "off":
        raise InputInvalid(field="the image", value=url, wanted="its bytes: fetching URLs is off (OPSLOOP_IMAGE_URLS)")
    rules = Rules(
        limit_bytes=SIZE_LIMIT_BYTES,
        timeout_s=TIMEOUT_S,
        is_public_only=allowed == "public",
        any_port=allowed == "any",
        hint=" (OPSLOOP_IMAGE_URLS=any allows others)" if allowed == "public" else "",
    )
    try:
        return core.fetch(url, rules).data
    except UrlNotAllowed as error:
        raise InputInvalid(field="the image", value=error.facts["url"], wanted=error.facts["wanted"]) from error
    except FetchedTooLarge as error:
        raise InputInvalid(field="the image", value=url, wanted=f"at most {SIZE_LIMIT_BYTES} bytes") from error
