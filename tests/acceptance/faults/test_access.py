"""Nothing listens for others without asking who they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.acceptance.up import Up, opsloop


@pytest.mark.parametrize(("host", "auth"), [("0.0.0.0", "auto"), ("::", "keys")])
def test_listening_for_others_without_a_key_is_refused(small: Path, host: str, auth: str) -> None:
    done = opsloop("up", "--host", host, cwd=small, OPSLOOP_AUTH=auth)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"opsloop: refusing to listen on {host} without authentication: make a key first with "
        "`opsloop token create NAME` and set OPSLOOP_AUTH=keys\n"
    )


def test_with_a_key_it_listens_and_lets_nobody_in_without(small: Path, up: Callable[..., Up]) -> None:
    key = json.loads(opsloop("token", "create", "ci", "--role", "admin", "--json", cwd=small).stdout)["secret"]
    only_a_key = opsloop("up", "--host", "0.0.0.0", cwd=small)
    assert only_a_key.returncode == 1

    run = up(small, "--host", "0.0.0.0", "--no-demo", OPSLOOP_AUTH="keys")
    run.ready()
    with httpx.Client(base_url=run.url, trust_env=False) as http:
        for method, path in (
            ("GET", "/api/audit"),
            ("GET", "/"),
            ("GET", "/openapi.json"),
            ("GET", "/v1/models"),
            ("POST", "/v1/chat/completions"),
            ("POST", "/endpoints/echo/invoke"),
            ("POST", "/api/keys"),
            ("POST", "/upload"),
            ("GET", "/api/events?topics=overview"),
        ):
            for headers in ({}, {"authorization": "Bearer opl_guess"}, {"authorization": "Basic eDp5"}):
                answer = http.request(method, path, headers=headers)
                assert answer.status_code == 401, (method, path, headers)
                assert answer.headers["www-authenticate"] == "Bearer"
        for path in ("/health", "/ready", "/metrics"):
            assert http.get(path).status_code == 200
        assert http.get("/api/audit", headers={"authorization": f"Bearer {key}"}).status_code == 200
    listed = opsloop("audit", "list", cwd=small, OPSLOOP_URL=run.url)
    assert listed.returncode == 4
    assert "an API key is needed" in listed.stderr
    assert opsloop("audit", "list", cwd=small, OPSLOOP_URL=run.url, OPSLOOP_TOKEN=key).returncode == 0
    assert run.stop() == 0
