"""Messages in Slack's form (Block Kit): what is asked, with two buttons, and what came of it.

Source: https://docs.slack.dev/reference/block-kit/blocks; a section holds 3,000 characters, a header 150.
"""

from __future__ import annotations

from typing import Any

from opsloop.remediation.models import Remediation
from opsloop.remediation.slack.buttons import Pair

_HEADER_CHARS, _SECTION_CHARS, _LINE_CHARS = 150, 2_900, 300
_SHOWN = 6
APPROVE, REJECT = "remediation.approve", "remediation.reject"


def asking(asked: Remediation, pair: Pair, *, said: str = "") -> dict[str, Any]:
    """Args: said: what happened already, such as the first of two people's yes."""
    would = asked.preview.sentence if asked.preview is not None else asked.title
    facts = [*(f"for it: {each}" for each in asked.because), *(f"against it: {each}" for each in asked.against)]
    needs = f"{asked.needed} people's yes" if asked.needed > 1 else "a yes"
    context = f"{asked.target}, level {asked.level.value}; needs {needs} by {asked.expires_at:%H:%M} UTC"
    blocks = [
        {"type": "header", "text": _plain(asked.title[:_HEADER_CHARS])},
        _section(f"*{_escaped(would)}*"),
        _section("\n".join(f"• {_escaped(each[:_LINE_CHARS])}" for each in facts[:_SHOWN])) if facts else None,
        {"type": "context", "elements": [_marked(_escaped(context))]},
        _section(_escaped(said)) if said else None,
        {
            "type": "actions",
            "elements": [
                _button("Approve", APPROVE, pair.yes, "primary"),
                _button("Reject", REJECT, pair.no, "danger"),
            ],
        },
        {"type": "context", "elements": [_marked(f"`opsloop remediation show {asked.id}` tells all of it")]},
    ]
    text = f"{_escaped(asked.title)}: {_escaped(would)}; it waits for a yes"
    return {"text": text[:_SECTION_CHARS], "blocks": [each for each in blocks if each is not None]}


def answered(asked: Remediation, said: str) -> dict[str, Any]:
    """Takes the place of the message in which somebody pressed."""
    return {"replace_original": True, **told(asked, said)}


def told(asked: Remediation, said: str) -> dict[str, Any]:
    """What became of the question, without buttons."""
    would = asked.preview.sentence if asked.preview is not None else ""
    text = f"{_escaped(asked.title)}: {_escaped(said)}"
    blocks = [
        {"type": "header", "text": _plain(asked.title[:_HEADER_CHARS])},
        _section(f"{_escaped(would)}\n*{_escaped(said)}*"),
        {"type": "context", "elements": [_marked(f"`opsloop remediation show {asked.id}` tells what becomes of it")]},
    ]
    return {"text": text[:_SECTION_CHARS], "blocks": blocks}


def whispered(said: str) -> dict[str, Any]:
    """Only who pressed sees it; the message stays."""
    return {"response_type": "ephemeral", "replace_original": False, "text": _escaped(said)[:_SECTION_CHARS]}


def _button(word: str, action: str, secret: str, style: str) -> dict[str, Any]:
    return {"type": "button", "text": _plain(word), "action_id": action, "value": secret, "style": style}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _marked(text[:_SECTION_CHARS])}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _marked(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def _escaped(text: str) -> str:
    """Slack makes links and mentions of what is between < and >."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
