"""What the example service that people come from promises, on both ways to serve a model."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.clock import SystemClock
from opsloop.core.notices import signatures
from tests.acceptance.models.services import Receiver, Service, running

SECRET = "s3cret"
# Flowers of another kind than any that the model was trained on.
SHIFTED = [[9.1, 7.5, 9.4, 5.2], [8.7, 7.9, 9.9, 4.8]]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["serve", "up"])
def test_curl_of_the_example_says_what_it_should_and_metrics_have_their_names(kind: str, tmp_path: Path) -> None:
    with running(kind, tmp_path) as service:
        url = str(service.http.base_url)
        body = '{"inputs": [[5.1,3.5,1.4,0.2],[6.5,3.0,5.5,1.8]]}'
        command = ["curl", "-sS", "-X", "POST", f"{url}/predict", "-H", "Content-Type: application/json", "-d", body]
        done = subprocess.run([*command, "--noproxy", "*"], capture_output=True, text=True, timeout=60, check=True)
        said = json.loads(done.stdout)
        assert (said["predictions"], said["drift_detected"]) == ([0, 2], False)
        assert isinstance(said["drift_score"], float)
        assert service.http.get("/health").status_code == 200
        names = _metrics(service)
        assert names >= {"inference_requests_total", "inference_latency_seconds_bucket", "drift_events_total"}


def _metrics(service: Service) -> set[str]:
    text = service.http.get("/metrics").text
    return {line.partition("{")[0].partition(" ")[0] for line in text.splitlines() if not line.startswith("#")}


@pytest.mark.slow
def test_drift_is_told_once_signed_and_again_after_two_failures(tmp_path: Path) -> None:
    """Both services at once: between three attempts they wait for half a minute."""
    receiver = Receiver(errors=2)
    lone = {"DRIFT_WEBHOOK": receiver.url, "REQUIRE_WEBHOOK": "true", "OPSLOOP_DRIFT_WEBHOOK_SECRET": SECRET}
    platform = {"OPSLOOP_DRIFT_WEBHOOK": receiver.url, "OPSLOOP_DRIFT_WEBHOOK_SECRET": SECRET}
    with ExitStack() as stack:
        stack.callback(receiver.close)
        services = [
            stack.enter_context(running("serve", tmp_path, **lone)),
            stack.enter_context(running("up", tmp_path, **platform)),
        ]
        for service in services:
            _send_until_detected(service)
        receiver.wait_for(2)
        for service in services:
            assert 'drift_events_total{endpoint="iris"} 1.0' in service.http.get("/metrics").text
    assert sorted(len(tries) for tries in receiver.came.values()) == [3, 3]
    for tries in receiver.came.values():
        bodies = {body for _, body in tries}
        assert len(bodies) == 1
        headers, body = tries[-1]
        said = json.loads(body)
        assert (said["event"], said["endpoint"], said["alarm"]) == ("drift.detected", "iris", said["alarm"])
        assert signatures.is_stamped(SECRET, body, headers["X-Opsloop-Signature"], SystemClock().now())
        assert not signatures.is_stamped("other", body, headers["X-Opsloop-Signature"], SystemClock().now())


def _send_until_detected(service: Service) -> None:
    said: dict[str, Any] = {}
    for _ in range(500):
        said = service.http.post("/predict", json={"inputs": SHIFTED}).json()
        if said["drift_detected"]:
            return
    raise AssertionError(f"no drift was seen: {said}")
