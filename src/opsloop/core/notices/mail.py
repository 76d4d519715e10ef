"""Send one notice as an e-mail and tell how it went.

Addresses are `mailto:oncall@example.com`; the server is the setting `smtp_url`. TLS is used where the server offers it;
a password never goes over a plain connection to another machine. The same notice has the same Message-ID at each
attempt, so that a mailbox that got it twice shows it once.
"""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from contextlib import ExitStack
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from opsloop.core.clock import Clock
from opsloop.core.notices.errors import AddressInvalid
from opsloop.core.notices.sending import Answer
from opsloop.core.notices.settings import NoticeSettings

SCHEME = "mailto"
_PORTS = {"smtp": 587, "smtps": 465}


class Letter(msgspec.Struct):
    """What the body of a notice says when it goes as an e-mail."""

    subject: str
    text: str


def send(url: str, body: bytes, *, id: str, settings: NoticeSettings, clock: Clock) -> Answer:
    """Errors are answers too, with no address in them."""
    if settings.smtp_url is None:
        return Answer(None, "no mail server is set; set OPSLOOP_SMTP_URL where the platform runs")
    try:
        server = _server(settings.smtp_url)
        letter = msgspec.json.decode(body, type=Letter)
        message = _message(url, letter, id=id, sender=settings.mail_from)
        message["Date"] = format_datetime(clock.now())
        _hand_over(server, message, settings.notice_timeout_s)
    except AddressInvalid as error:
        return Answer(None, error.sentence)
    except smtplib.SMTPResponseException as error:
        return Answer(error.smtp_code, f"the mail server answered {error.smtp_code}")
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        return Answer(max(codes), f"the mail server refused the recipient ({max(codes)})")
    except (smtplib.SMTPException, OSError) as error:
        return Answer(None, f"the mail server cannot be used: {type(error).__name__}")
    return Answer(250, None)


def _server(url: str) -> SplitResult:
    found = urlsplit(url)
    if found.scheme not in _PORTS or not found.hostname:
        raise AddressInvalid("setting smtp_url: wanted smtp://HOST:PORT or smtps://HOST:PORT", field="smtp_url")
    return found


def _message(url: str, letter: Letter, *, id: str, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = unquote(url.removeprefix(f"{SCHEME}:"))
    # A header is one line, whatever a name in it holds.
    message["Subject"] = " ".join(letter.subject.split())[:200]
    message["Message-ID"] = f"<{id}@opsloop>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers to this
    message.set_content(letter.text)
    return message


def _hand_over(server: SplitResult, message: EmailMessage, timeout_s: float) -> None:
    host, port = server.hostname or "", server.port or _PORTS[server.scheme]
    with ExitStack() as closing:
        tls = ssl.create_default_context()
        if server.scheme == "smtps":
            line: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=tls)
        else:
            line = smtplib.SMTP(host, port, timeout=timeout_s)
        closing.callback(line.close)
        line.ehlo()
        is_private = server.scheme == "smtps"
        if not is_private and line.has_extn("starttls"):
            line.starttls(context=tls)
            line.ehlo()
            is_private = True
        if server.username:
            if not is_private and not _is_this_machine(host):
                raise AddressInvalid("setting smtp_url: the mail server offers no TLS, so no password is sent to it")
            line.login(unquote(server.username), unquote(server.password or ""))
        line.send_message(message)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
