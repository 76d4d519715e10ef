"""What of a log may stand in an answer, and what may leave this machine."""

from __future__ import annotations

from opsloop.guardrails.models import mark
from opsloop.guardrails.pii.scan import SECRET_KINDS, find
from opsloop.incidents.diagnosis.reading import LINE_CHARS, clean, whole


def without_secrets(text: str) -> str:
    """The text with each password, key and token as its kind; personal data stays, the log is its reader's own."""
    parts, at = [], 0
    for each in find(text, kinds=SECRET_KINDS):
        parts += [text[at : each.start], mark(each.kind)]
        at = each.end
    return "".join([*parts, text[at:]]) if parts else text


def shown(raw: bytes) -> str:
    """A line of a log as an answer shows it. Secrets are taken out before it is cut, so none is cut in two."""
    if len(raw) <= LINE_CHARS:
        return without_secrets(clean(raw))
    return without_secrets(whole(raw)).rstrip()[:LINE_CHARS]


def leaving(text: str) -> str:
    """The text as it may be sent to a model server or a pull request: without secrets and without personal data."""
    from opsloop.guardrails.redaction import redacted  # brings the library of phone numbers, 0.3 s

    return redacted(text)
