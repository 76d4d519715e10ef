"""Webhooks of others, through the door in front of the real application: proved, once, kept before the answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from fastapi.testclient import TestClient

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.incidents import service
from opsloop.incidents.intake import cloudwatch
from opsloop.incidents.models import Incident
from opsloop.server.control_plane import control_plane
from opsloop.server.entrance import Entrance

SECRET = "a secret of forty letters, more or less"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"
READER = Caller("test", Role.VIEWER)


class NoEndpoints:
    def owns(self, path: str) -> bool:
        return False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError


@pytest.fixture
def call(sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    for name in ("GITHUB_SECRET", "GITLAB_TOKEN", "GRAFANA_SECRET", "AZURE_DEVOPS_PASSWORD"):
        monkeypatch.setenv(f"OPSLOOP_HOOK_{name}", SECRET)
    monkeypatch.setenv("OPSLOOP_HOOK_CLOUDWATCH_TOPICS", json.dumps([TOPIC]))
    app = Entrance(sqlite_workspace, NoEndpoints(), control_plane(sqlite_workspace), listens_on_loopback=False)
    with TestClient(app) as client:
        yield client  # type: ignore[misc]


def incidents(workspace: Workspace) -> list[Incident]:
    with workspace.reading(READER) as uow:
        return [service.get(uow, each.id) for each in service.list_incidents(uow)]


def run_of(conclusion: str, *, branch: str = "main") -> dict[str, Any]:
    return {
        "action": "completed",
        "repository": {"full_name": "acme/shop"},
        "workflow_run": {
            "id": 77,
            "name": "build",
            "head_branch": branch,
            "head_sha": "abc",
            "conclusion": conclusion,
            "run_started_at": "2026-12-31T23:50:00Z",
            "html_url": "https://github.com/acme/shop/actions/runs/77",
        },
    }


def github(call: httpx.Client, payload: Any, *, secret: str = SECRET, event: str = "workflow_run") -> httpx.Response:
    body = json.dumps(payload).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signature}", "x-github-event": event}
    return call.post("/webhooks/github", content=body, headers=headers)


def test_a_failed_run_of_github_opens_an_incident_that_its_next_success_mitigates(
    call: httpx.Client, sqlite_workspace: Workspace
) -> None:
    answer = github(call, run_of("failure"))
    assert (answer.status_code, answer.json()["new"]) == (200, 1), answer.text
    (incident,) = incidents(sqlite_workspace)
    (signal,) = incident.signals
    assert (signal.kind, signal.subject.labels["run"]) == ("ci", "77")
    assert signal.link.endswith("/runs/77")
    github(call, run_of("success", branch="other"))
    assert incidents(sqlite_workspace)[0].state.value == "open"
    github(call, run_of("success"))
    assert incidents(sqlite_workspace)[0].state.value == "mitigated"


def test_a_delivery_that_comes_again_changes_nothing(call: httpx.Client, sqlite_workspace: Workspace) -> None:
    assert github(call, run_of("failure")).json()["new"] == 1
    again = github(call, run_of("failure"))
    assert (again.status_code, again.json()["new"], again.json()["known"]) == (200, 0, 0)
    assert incidents(sqlite_workspace)[0].told_count == 1


def test_a_wrong_signature_is_refused_and_nothing_kept(call: httpx.Client, sqlite_workspace: Workspace) -> None:
    answer = github(call, run_of("failure"), secret="another")
    assert answer.status_code == 401
    assert "OPSLOOP_HOOK_GITHUB_SECRET" in answer.json()["detail"]
    assert call.post("/webhooks/github", json=run_of("failure")).status_code == 401
    assert incidents(sqlite_workspace) == []


def test_without_a_secret_no_signature_is_right(call: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPSLOOP_HOOK_GITHUB_SECRET")
    assert github(call, run_of("failure"), secret="").status_code == 401


def test_gitlab_shows_its_token(call: httpx.Client, sqlite_workspace: Workspace) -> None:
    payload = {
        "object_kind": "pipeline",
        "object_attributes": {"id": 5, "ref": "main", "sha": "abc", "status": "failed", "url": "https://gl/p/5"},
        "project": {"path_with_namespace": "acme/shop"},
    }
    assert call.post("/webhooks/gitlab", json=payload, headers={"x-gitlab-token": "wrong"}).status_code == 401
    assert call.post("/webhooks/gitlab", json=payload, headers={"x-gitlab-token": SECRET}).json()["new"] == 1
    assert incidents(sqlite_workspace)[0].title == "pipeline at acme/shop"


def test_azure_devops_shows_its_password(call: httpx.Client, sqlite_workspace: Workspace) -> None:
    payload = {
        "id": "f1",
        "eventType": "build.complete",
        "message": {"text": "Build 7 failed"},
        "resource": {"id": 7, "result": "failed", "definition": {"name": "nightly"}, "project": {"name": "shop"}},
    }
    assert call.post("/webhooks/azure-devops", json=payload, auth=("any", "wrong")).status_code == 401
    assert call.post("/webhooks/azure-devops", json=payload, auth=("any", SECRET)).json()["new"] == 1
    assert incidents(sqlite_workspace)[0].signals[0].text == "Build 7 failed"


def grafana(call: httpx.Client, payload: Any, at: datetime) -> httpx.Response:
    body, stamp = json.dumps(payload).encode(), str(int(at.timestamp()))
    signature = hmac.new(SECRET.encode(), stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"x-grafana-alerting-signature": signature, "x-grafana-alerting-timestamp": stamp}
    return call.post("/webhooks/grafana", content=body, headers=headers)


def test_grafana_signs_with_a_time(call: httpx.Client, sqlite_workspace: Workspace, clock: FakeClock) -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "HighLatency", "service": "checkout", "severity": "critical"},
        "annotations": {"summary": "p95 is 3 s"},
        "startsAt": "2026-12-31T23:58:00Z",
        "fingerprint": "a1",
        "values": {"A": 3.2},
    }
    assert grafana(call, {"alerts": [alert]}, clock.now()).json()["new"] == 1
    assert grafana(call, {"alerts": [alert]}, clock.now() - timedelta(hours=1)).status_code == 401
    (incident,) = incidents(sqlite_workspace)
    assert (incident.severity, incident.signals[0].numbers) == ("page", {"A": 3.2})
    clock.advance(60)
    grafana(call, {"alerts": [alert | {"status": "resolved"}]}, clock.now())
    assert incidents(sqlite_workspace)[0].state.value == "mitigated"
    assert "wanted a list" in grafana(call, {"title": "old alerting"}, clock.now()).json()["detail"]


@pytest.fixture(scope="module")
def aws() -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    began = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(7).not_valid_before(began).not_valid_after(began + timedelta(days=3_650))
    return key, built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def sns(key: rsa.RSAPrivateKey, at: datetime, **given: Any) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "m1",
        "TopicArn": TOPIC,
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S.000Z}",
        "SignatureVersion": "2",
        "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
        "Message": json.dumps(
            {
                "AlarmName": "HighCPU",
                "NewStateValue": "ALARM",
                "NewStateReason": "Threshold Crossed: 1 datapoint [97.0] was greater than 90",
                "AlarmArn": "arn:aws:cloudwatch:eu-central-1:1:alarm:HighCPU",
                "Trigger": {"Threshold": 90.0, "Dimensions": [{"name": "InstanceId", "value": "i-1"}]},
            }
        ),
    } | given
    signature = key.sign(cloudwatch.signed_text(payload), padding.PKCS1v15(), hashes.SHA256())
    return payload | {"Signature": base64.b64encode(signature).decode()}


def send(call: httpx.Client, payload: dict[str, Any]) -> httpx.Response:
    headers = {"x-amz-sns-message-type": payload["Type"]}
    return call.post("/webhooks/cloudwatch", content=json.dumps(payload).encode(), headers=headers)


def test_cloudwatch_is_believed_when_sns_signed_it_for_a_topic_of_ours(
    call: httpx.Client,
    sqlite_workspace: Workspace,
    clock: FakeClock,
    aws: tuple[rsa.RSAPrivateKey, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key, pem = aws
    fetched: list[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        return pem

    monkeypatch.setattr(cloudwatch, "certificate", fetch)
    good = sns(key, clock.now())
    assert send(call, good | {"Message": "{}"}).status_code == 401
    assert send(call, sns(key, clock.now(), TopicArn="arn:aws:sns:x:1:other")).status_code == 401
    assert send(call, sns(key, clock.now() - timedelta(days=1))).status_code == 401
    assert fetched == [good["SigningCertURL"]]
    for url in (
        "https://sns.evil.com/a.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.com/a.pem",
        "http://169.254.169.254/a.pem",
    ):
        assert send(call, sns(key, clock.now(), SigningCertURL=url)).status_code == 401
    assert len(fetched) == 1
    assert send(call, good).json()["new"] == 1
    assert send(call, good).json() == {"new": 0, "known": 0, "over": 0, "opened": []}
    (incident,) = incidents(sqlite_workspace)
    assert (incident.title, incident.signals[0].numbers) == ("HighCPU at i-1", {"threshold": 90.0})


def test_a_subscription_is_confirmed_at_sns_alone(
    call: httpx.Client, clock: FakeClock, aws: tuple[rsa.RSAPrivateKey, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, pem = aws
    visited: list[str] = []
    monkeypatch.setattr(cloudwatch, "certificate", lambda url: pem)
    monkeypatch.setattr(cloudwatch, "visit", visited.append)
    url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    asked = {"Type": "SubscriptionConfirmation", "Token": "t", "Message": "confirm?"}
    assert send(call, sns(key, clock.now(), **asked, SubscribeURL="http://localhost/")).status_code == 422
    assert visited == []
    assert send(call, sns(key, clock.now(), **asked, SubscribeURL=url)).status_code == 200
    assert visited == [url]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"[" * 100_000, b'{"workflow_run": 7}', b"\xff\xfe"])
def test_a_body_of_any_form_is_told_what_is_wrong(call: httpx.Client, body: bytes) -> None:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signature}", "x-github-event": "workflow_run"}
    assert call.post("/webhooks/github", content=body, headers=headers).status_code in (200, 400, 422)
