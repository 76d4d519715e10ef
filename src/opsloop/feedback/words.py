"""Words that people write about answers, as they are kept: bounded, storable, without personal data."""

from __future__ import annotations

import re
from collections.abc import Sequence

from opsloop.core.errors import InvalidInput
from opsloop.guardrails.redaction import redacted

MAX_TAGS = 10
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
# Neither database keeps these in text.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_TAG = re.compile(r"[^\W_][\w .:/+-]{0,39}")


def cleaned(field: str, given: str | None, *, limit: int, redact: bool = True) -> str | None:
    """What is kept of a text: stripped and redacted; None where there is nothing.

    Args:
        limit: of characters as they were sent.
        redact: whether personal data and secrets become their kind: `write to [EMAIL]`.
    Raises: InvalidInput.
    """
    if given is None or not given.strip():
        return None
    if len(given) > limit:
        raise InvalidInput(field=field, value=given, wanted=f"at most {limit} characters")
    if _UNSTORABLE.search(given):
        raise InvalidInput(field=field, value=given, wanted="text without NUL characters and lone surrogates")
    return redacted(given.strip()) if redact else given.strip()


def tags(field: str, given: Sequence[str]) -> list[str]:
    """Tags in lower case, each once, in the order they came. Raises: InvalidInput."""
    if len(given) > MAX_TAGS:
        raise InvalidInput(field=field, value=list(given), wanted=f"at most {MAX_TAGS} tags")
    found = [each.strip().lower() for each in given]
    for each in found:
        if not _TAG.fullmatch(each) or redacted(each) != each:
            raise InvalidInput(
                field=field, value=each, wanted="up to 40 letters, digits, spaces and .:/+-_, a letter or digit first"
            )
    return list(dict.fromkeys(found))


def request_id(given: str) -> str:
    """Raises: InvalidInput."""
    if not REQUEST_ID.fullmatch(given):
        raise InvalidInput(field="request_id", value=given, wanted="1 to 100 letters, digits and ._:-")
    return given
