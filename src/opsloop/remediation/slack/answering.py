"""Answer from Slack: who pressed which button, as a yes or no of the person that the settings say it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput, OpsloopError, Unauthenticated, Unavailable
from opsloop.core.notices import service as notices
from opsloop.core.web.json_body import decoded
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.remediation import service
from opsloop.remediation.by import BY
from opsloop.remediation.models import Remediation
from opsloop.remediation.settings import RemediationSettings
from opsloop.remediation.slack import buttons, message, showing, signing

KIND = "remediation.answered"
UPDATES_HOST = "hooks.slack.com"
WORDS = "in Slack"
_FIELDS = 10


class SlackNotSigned(Unauthenticated):
    template = (
        "POST /webhooks/slack: the signature is missing, wrong or over five minutes old; the setting "
        "remediation_slack_signing_secret must be the signing secret of the Slack app"
    )


class _User(msgspec.Struct):
    id: str


class _Action(msgspec.Struct):
    action_id: str = ""
    value: str = ""


class _Interaction(msgspec.Struct):
    type: str
    user: _User | None = None
    actions: list[_Action] = []
    response_url: str = ""


_decoder = msgspec.json.Decoder(_Interaction)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a press. Args: text: for who pressed; empty when it was no button of ours."""

    text: str = ""


def answer(workspace: Workspace, headers: Mapping[str, str], body: bytes) -> Answer:
    """Take what Slack tells. What is refused is told to who pressed, and is no error of Slack's.

    Raises: SlackNotSigned, InvalidInput, Unavailable.
    """
    settings = workspace.section(RemediationSettings)
    secret = settings.remediation_slack_signing_secret
    if not signing.is_signed(secret, headers, body, workspace.clock.now()):
        raise SlackNotSigned
    told = _read(body)
    pressed = next((each for each in told.actions if each.action_id in (message.APPROVE, message.REJECT)), None)
    if told.type != "block_actions" or pressed is None:
        return Answer()
    by = _caller(settings, told.user.id if told.user is not None else "")
    if by is None:
        said = "You are not among those who decide on repairs here; an admin adds you by remediation_slack_approvers."
        _refused(workspace, told, said)
        return Answer(said)
    try:
        return Answer(_decided(workspace, by, pressed.value, told))
    except Unavailable:
        raise
    except OpsloopError as error:
        _refused(workspace, told, error.sentence)
        return Answer(error.sentence)


def _decided(workspace: Workspace, by: Caller, secret: str, told: _Interaction) -> str:
    """In one transaction with the button being used up: what fails leaves it good."""
    with workspace.writing(by) as uow:
        by.require(Role.OPERATOR)
        pressed = buttons.press(uow, secret)
        if pressed.is_yes:
            found = service.approve(uow, pressed.remediation, digest=pressed.digest, reason=WORDS)
            said = f"approved by {by.name}"
        else:
            found = service.reject(uow, pressed.remediation, digest=pressed.digest, reason=WORDS)
            said = f"rejected by {by.name}"
        if not showing.is_rewritten(uow, found):
            _answer(uow, told, found, said)
        return said


def _answer(uow: UnitOfWork, told: _Interaction, found: Remediation, said: str) -> None:
    """In place of what asked; of two people's yes the first asks for the second with new buttons."""
    showing.answered_in_place(uow, found)
    if not found.waits:
        _update(uow, told, message.answered(found, said))
        return
    pair = buttons.make(uow, found)
    again = message.asking(found, pair, said=f"{said}; somebody else's yes is needed too")
    _update(uow, told, {"replace_original": True, **again}, hidden=(pair.yes, pair.no))


def _refused(workspace: Workspace, told: _Interaction, said: str) -> None:
    with workspace.writing(BY) as uow:
        user = told.user.id[:50] if told.user is not None else ""
        uow.audit("remediation.answer_refused", "remediations", slack_user=user.replace("\0", ""), said=said)
        _update(uow, told, message.whispered(said))


def _update(uow: UnitOfWork, told: _Interaction, body: dict[str, Any], *, hidden: tuple[str, ...] = ()) -> None:
    """Only to Slack: whoever could choose the address could have this process ask any."""
    if _is_slack(told.response_url):
        notices.deliver(uow, told.response_url, body, hidden=hidden, kind=KIND, about="remediations")


def _is_slack(url: str) -> bool:
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and "\\" not in url and len(url) <= 1_000
    is_there = found.scheme == "https" and found.netloc == UPDATES_HOST
    return plain and is_there and port is None


def _caller(settings: RemediationSettings, user: str) -> Caller | None:
    found = settings.remediation_slack_approvers.get(user)
    return Caller(found.name, found.role) if found is not None else None


def _read(body: bytes) -> _Interaction:
    """The JSON in the form's field `payload`. Raises: InvalidInput."""
    wanted = "a form with the field payload, as Slack sends interactions"
    try:
        fields = dict(parse_qsl(body.decode(), max_num_fields=_FIELDS, strict_parsing=True))
    except ValueError:
        raise InvalidInput(field="body", value=body[:50].decode("utf-8", "replace"), wanted=wanted) from None
    if "payload" not in fields:
        raise InvalidInput(field="payload", value="", wanted=wanted)
    return decoded(_decoder, fields["payload"].encode("utf-8", "replace"))
