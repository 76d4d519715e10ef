"""Settings of notices."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class NoticeSettings(Section):
    notice_timeout_s: float = Field(
        10.0, gt=0, le=120, description="Time that the receiver of a notice has to answer, in seconds."
    )
    smtp_url: str | None = Field(
        None, description="Mail server, as smtp://USER:PASSWORD@HOST:PORT or smtps://…; unset: no e-mail.", repr=False
    )
    mail_from: str = Field("opsloop@localhost", description="Address that e-mails come from, as an e-mail address.")
