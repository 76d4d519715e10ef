"""E-mail: subject as heading, who wrote to whom and when, the text, and the names of what is attached."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage

from opsloop.rag.parsing._writing import Writing
from opsloop.rag.parsing.trouble import CannotRead, damaged

_WHAT = "an e-mail"
_HEADERS = ("From", "To", "Cc", "Date")


def text_of(data: bytes) -> str:
    # RecursionError: messages inside messages, without end.
    try:
        message = message_from_bytes(data, policy=policy.default)
        if not isinstance(message, EmailMessage) or not any(message[name] for name in ("Subject", *_HEADERS)):
            raise CannotRead("it has none of the headers of an e-mail; save it from the mail program as .eml")
        return _text(message)
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
        raise damaged(_WHAT) from None


def _text(message: EmailMessage) -> str:
    writing = Writing()
    writing.heading(1, str(message["Subject"] or ""))
    for name in _HEADERS:
        if message[name]:
            writing.item(f"{name}: {message[name]}")
    writing.paragraph(_body(message))
    attached = [each for part in message.iter_attachments() if (each := part.get_filename())]
    if attached:
        writing.paragraph(f"Attachments: {', '.join(attached)}")
    return writing.text()


def _body(message: EmailMessage) -> str:
    """The plain text, or what stands in the HTML."""
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content: object = part.get_content()
    text = content if isinstance(content, str) else ""
    if part.get_content_subtype() == "html":
        from opsloop.rag.parsing._html import text_in

        return text_in(text)
    return text.replace("\r\n", "\n")
