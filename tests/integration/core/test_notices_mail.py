"""Notices as e-mails, handed to a real SMTP server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.notices import address, mail
from opsloop.core.notices.errors import AddressInvalid
from opsloop.core.notices.sending import Answer
from opsloop.core.notices.settings import NoticeSettings

controller = pytest.importorskip("aiosmtpd.controller", reason="no SMTP server: install aiosmtpd")
LETTER = json.dumps({"subject": "firing: chat\r\nBcc: all@example.com", "text": "chat is slow ☃ see for yourself\n"})


@dataclass
class Mailbox:
    came: list[EmailMessage] = field(default_factory=list)
    refuses: bool = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, to: str, options: Any) -> str:
        if self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.came.append(message)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, NoticeSettings]]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = controller.Controller(box, hostname="127.0.0.1", port=port)
    running.start()
    yield box, NoticeSettings(smtp_url=f"smtp://127.0.0.1:{port}", mail_from="ops@example.com")
    running.stop()


def send(settings: NoticeSettings, to: str = "mailto:oncall@example.com") -> Answer:
    return mail.send(to, LETTER.encode(), id="delivery_1", settings=settings, clock=FakeClock())


def test_a_notice_arrives_in_the_mailbox(mailbox: tuple[Mailbox, NoticeSettings]) -> None:
    box, settings = mailbox
    assert send(settings).error is None
    [message] = box.came
    assert (message["To"], message["From"]) == ("oncall@example.com", "ops@example.com")
    assert message["Subject"] == "firing: chat Bcc: all@example.com"  # one line: no header of its own
    assert message["Bcc"] is None
    assert message["Message-ID"] == "<delivery_1@opsloop>"
    assert "chat is slow ☃ see for yourself" in message.get_content()


def test_a_refusal_is_told_without_the_address(mailbox: tuple[Mailbox, NoticeSettings]) -> None:
    box, settings = mailbox
    box.refuses = True
    found = send(settings)
    assert (found.status, found.error) == (550, "the mail server refused the recipient (550)")


def test_no_server_is_told() -> None:
    assert "OPSLOOP_SMTP_URL" in (send(NoticeSettings()).error or "")
    assert "cannot be used" in (send(NoticeSettings(smtp_url="smtp://127.0.0.1:1")).error or "")
    assert "smtp://HOST" in (send(NoticeSettings(smtp_url="http://x")).error or "")


@pytest.mark.parametrize("url", ["mailto:", "mailto:a b@example.com", "mailto:a@b\r\nBcc: c@d", "mailto:a@b,c@d"])
def test_no_address_smuggles_another(url: str) -> None:
    with pytest.raises(AddressInvalid):
        address.check(url)


def test_a_mailbox_is_shown_by_its_domain() -> None:
    assert address.shown("mailto:oncall@example.com") == "mailto:o…@example.com"
