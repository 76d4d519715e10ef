"""A real Prometheus and a real Alertmanager that look at a platform, and tell it what they see."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.models.services import free_port
from tests.acceptance.up import Up, opsloop
from tests.deploy.prometheus import program

LONG_S = 90.0


class Watchers:
    """Both programs, each on a port of its own; skips where they are not installed.

    Args:
        folder: for what they are told and what they keep.
    """

    def __init__(self, folder: Path) -> None:
        self._prometheus = program("prometheus")
        self._alertmanager = program("prometheus-alertmanager", "alertmanager")
        self._folder = folder
        self._port, self._alertmanager_port = free_port(), free_port()
        self.alertmanager_url = f"http://127.0.0.1:{self._alertmanager_port}"

    @contextmanager
    def looking_at(self, up: Up, *, rules: Callable[[str], str]) -> Iterator[None]:
        """While the block runs. Args: rules: makes those of the platform fast enough for a test."""
        key = opsloop("token", "create", "alertmanager", "--role", "developer", OPSLOOP_URL=up.url).stdout.strip()
        (self._folder / "rules.yml").write_text(rules(opsloop("monitor", "rules", OPSLOOP_URL=up.url).stdout))
        with (
            _running(
                self._alertmanager,
                f"--config.file={self._written('alertmanager', _told_by_alertmanager(up.url, key))}",
                f"--web.listen-address=127.0.0.1:{self._alertmanager_port}",
                f"--storage.path={self._folder / 'am'}",
                "--cluster.listen-address=",
            ),
            _running(
                self._prometheus,
                f"--config.file={self._written('prometheus', self._scraping(up.url, key))}",
                f"--web.listen-address=127.0.0.1:{self._port}",
                f"--storage.tsdb.path={self._folder / 'tsdb'}",
            ),
        ):
            yield

    def value(self, expression: str) -> float | None:
        """What Prometheus has for an expression; None while it has nothing."""
        url = f"http://127.0.0.1:{self._port}/api/v1/query"
        answer = httpx.get(url, params={"query": expression}, trust_env=False)
        # It has not begun yet, or did not get to it: asked again. What it cannot read (400) fails the test.
        if answer.status_code in (422, 500, 503):
            return None
        assert answer.status_code == 200, answer.text
        found = answer.json()["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    def alerts(self, matcher: str) -> list[dict[str, Any]]:
        """What the Alertmanager has, as its own program says it."""
        words = [
            program("amtool"),
            f"--alertmanager.url={self.alertmanager_url}",
            "alert",
            "query",
            matcher,
            "-o",
            "json",
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
        found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
        return found

    def _written(self, name: str, document: dict[str, Any]) -> Path:
        file = self._folder / f"{name}.yml"
        file.write_text(json.dumps(document))
        return file

    def _scraping(self, url: str, key: str) -> dict[str, Any]:
        alertmanager = {"static_configs": [{"targets": [f"127.0.0.1:{self._alertmanager_port}"]}]}
        platform = {
            "job_name": "opsloop",
            "authorization": {"credentials": key},
            "static_configs": [{"targets": [url.removeprefix("http://")]}],
        }
        return {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(self._folder / "rules.yml")],
            "alerting": {"alertmanagers": [alertmanager]},
            "scrape_configs": [platform],
        }


def _told_by_alertmanager(url: str, key: str) -> dict[str, Any]:
    webhook = {"url": f"{url}/webhooks/alertmanager", "http_config": {"authorization": {"credentials": key}}}
    return {
        "route": {"receiver": "opsloop", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"},
        "receivers": [{"name": "opsloop", "webhook_configs": [webhook]}],
    }


@contextmanager
def _running(*words: str) -> Iterator[None]:
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield
    finally:
        process.terminate()
        print(words[0], process.communicate(timeout=20)[0])  # pytest shows it where the test fails


def wait_until(found: Callable[[], Any], what: str) -> Any:
    pause = threading.Event()
    for _ in range(int(LONG_S / 0.25)):
        try:
            if result := found():
                return result
        except httpx.TransportError:
            pass
        pause.wait(0.25)
    raise AssertionError(f"{what} was not seen within {LONG_S} s")
