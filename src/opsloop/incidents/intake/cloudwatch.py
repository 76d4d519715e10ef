"""CloudWatch alarms by way of SNS, whose messages carry their own signature.

A topic must be named in the settings, and the certificate and the address of a confirmation must be SNS's own.
Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.core.fetching.fetch import fetch
from opsloop.core.fetching.rules import Rules
from opsloop.incidents import text as texts
from opsloop.incidents.intake.message import Message, Source, inner, instant, words
from opsloop.incidents.models import Observed, Subject
from opsloop.incidents.settings import IncidentSettings

HEADER = "x-amz-sns-message-type"
OLDEST_S = 3_600.0
RULES = Rules(limit_bytes=65_536, timeout_s=10)
_OF_SNS = re.compile(r"https://sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?/")
_SERVICES = ("ServiceName", "FunctionName", "DBInstanceIdentifier")
_NOTICE = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def _is_signed(headers: Mapping[str, str]) -> bool:
    return HEADER in headers


def _proves(settings: IncidentSettings, message: Message) -> bool:
    try:
        payload = json.loads(message.body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(payload, dict) or words(payload, "TopicArn") not in settings.hook_cloudwatch_topics:
        return False
    sent_at = instant(payload.get("Timestamp"), message.at.replace(year=1970))
    if abs((message.at - sent_at).total_seconds()) > OLDEST_S:
        return False
    where = words(payload, "SigningCertURL")
    if _OF_SNS.match(where) is None or not where.endswith(".pem"):
        return False
    return _is_signed_by(certificate(where), payload)


def _is_signed_by(pem: bytes, payload: dict[str, Any]) -> bool:
    from cryptography import x509  # heavy, and few installations need it
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = x509.load_pem_x509_certificate(pem).public_key()
    digest = {"1": hashes.SHA1(), "2": hashes.SHA256()}.get(words(payload, "SignatureVersion"))  # noqa: S303 (SNS's)
    if digest is None or not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        signature = base64.b64decode(words(payload, "Signature"), validate=True)
        key.verify(signature, signed_text(payload), padding.PKCS1v15(), digest)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def signed_text(payload: Mapping[str, Any]) -> bytes:
    """What SNS signs: names and values, a line each, of those members that are there."""
    members = _NOTICE if payload.get("Type") == "Notification" else _CONFIRMATION
    return "".join(f"{name}\n{payload[name]}\n" for name in members if payload.get(name) is not None).encode()


@lru_cache(16)
def certificate(url: str) -> bytes:
    """SNS's certificate. Raises: NotFetched."""
    return fetch(url, RULES).data


def _delivery(message: Message, payload: dict[str, Any]) -> str:
    return words(payload, "MessageId")


def confirm(payload: Mapping[str, Any]) -> bool:
    """Tell SNS that its topic may send here, when that is what a message asks. Raises: InvalidInput, NotFetched."""
    if payload.get("Type") != "SubscriptionConfirmation":
        return False
    url = words(payload, "SubscribeURL")
    if _OF_SNS.match(url) is None:
        raise InvalidInput(
            field="SubscribeURL", value=url, wanted="an address of SNS, https://sns.REGION.amazonaws.com/"
        )
    visit(url)
    return True


def visit(url: str) -> None:
    fetch(url, RULES)


def _signals(message: Message, payload: dict[str, Any]) -> Sequence[Observed]:
    if payload.get("Type") != "Notification":
        return ()
    try:
        alarm = json.loads(words(payload, "Message"))
    except (ValueError, RecursionError):
        return ()  # a topic may carry other things
    if not isinstance(alarm, dict) or "AlarmName" not in alarm:
        return ()
    trigger = inner(alarm, "Trigger")
    dimensions = trigger.get("Dimensions") if isinstance(trigger, dict) else None
    dimensions = dimensions if isinstance(dimensions, list) else []
    labels = texts.labels({words(each, "name"): words(each, "value") for each in dimensions})
    service = next((labels[name] for name in _SERVICES if labels.get(name)), "")
    threshold = inner(trigger, "Threshold")
    return (
        Observed(
            "cloudwatch",
            "alert",
            words(alarm, "AlarmName"),
            "ticket",
            Subject(service=service, host=labels.get("InstanceId", ""), labels=labels),
            words(alarm, "NewStateReason") or words(alarm, "AlarmDescription") or words(alarm, "AlarmName"),
            instant(alarm.get("StateChangeTime"), message.at),
            ended_at=None if words(alarm, "NewStateValue") == "ALARM" else message.at,
            key=words(alarm, "AlarmArn") or words(alarm, "AlarmName"),
            numbers={"threshold": float(threshold)} if isinstance(threshold, int | float) else {},
        ),
    )


SOURCE = Source("cloudwatch", "OPSLOOP_HOOK_CLOUDWATCH_TOPICS", _is_signed, _proves, _delivery, _signals)
