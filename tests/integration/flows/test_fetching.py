"""Images behind URLs: fetched where that is allowed, never from inside, never without end."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from opsloop.core.fetching.errors import NotFetched
from opsloop.flows import fetching
from opsloop.flows.errors import InputInvalid
from opsloop.flows.fetching import fetch
from opsloop.flows.loaded import load
from opsloop.testing.model_server import ModelServer

WriteFlow = Callable[..., Path]
PNG = b"\x89PNG\r\n\x1a\npixels"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/again"):
            self.send_response(302)
            self.send_header("location", self.path if self.path == "/again" else "/x.png")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/gone.png" else 200)
        self.end_headers()
        self.wfile.write(PNG if self.path == "/x.png" else b"0" * 64)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news."""


@pytest.fixture
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "0.0.0.0"])
def test_an_address_inside_is_refused(host: str) -> None:
    with pytest.raises(InputInvalid, match=r"wanted an address of the public web \(OPSLOOP_IMAGE_URLS=any"):
        fetch(f"http://{host}/x.png")


def test_fetching_can_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_IMAGE_URLS", "off")
    with pytest.raises(InputInvalid, match="fetching URLs is off"):
        fetch("https://example.org/x.png")


def test_where_all_is_allowed_the_bytes_come(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_IMAGE_URLS", "any")
    assert fetch(f"{site}/x.png") == PNG
    assert fetch(f"{site}/again-once") == PNG
    with pytest.raises(NotFetched, match=r"gone.png cannot be fetched: .*404"):
        fetch(f"{site}/gone.png")
    with pytest.raises(NotFetched, match="it is redirected over and over"):
        fetch(f"{site}/again")


def test_an_image_without_end_is_cut_off(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_IMAGE_URLS", "any")
    monkeypatch.setattr(fetching, "SIZE_LIMIT_BYTES", 63)
    with pytest.raises(InputInvalid, match="wanted at most 63 bytes"):
        fetch(f"{site}/large.png")


VISION = """
    inputs: {picture: {type: image}}
    outputs: {y: {type: string, reference: "${look.output}"}}
    nodes:
    - name: look
      type: custom_llm
      source: {type: package_with_prompt, tool: promptflow.tools.aoai_gpt4v.AzureOpenAI.chat, path: look.jinja2}
      inputs: {connection: mine, deployment_name: gpt-4v, max_tokens: 64, picture: "${inputs.picture}"}
"""


def test_a_model_looks_at_an_image_where_it_is(write_flow: WriteFlow) -> None:
    with ModelServer() as server:
        mine = {"type": "azure_open_ai", "api_base": server.azure_endpoint, "api_key": "k"}
        path = write_flow(VISION, **{"look.jinja2": "# user:\nWhat is it?\n![image]({{picture}})"})
        load(path, connections={"mine": mine}).run_sync({"picture": "https://nowhere.example/x.png"})
        (call,) = server.calls
        assert call.json["messages"][0]["content"] == [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": "https://nowhere.example/x.png", "detail": "auto"}},
        ]
        assert call.json["max_tokens"] == 64


def test_a_tool_that_reads_an_image_gets_its_bytes(
    write_flow: WriteFlow, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_IMAGE_URLS", "any")
    dag = """
        inputs: {picture: {type: image}}
        outputs: {y: {type: object, reference: "${work.output}"}}
        nodes: [{name: work, type: python, source: {path: work.py}, inputs: {picture: "${inputs.picture}"}}]
    """
    code = """
        from promptflow.core import tool
        from promptflow.contracts.multimedia import Image
        @tool
        def work(picture: Image):
            return [len(picture), picture._mime_type, Image(picture + b"!")]
    """
    result = load(write_flow(dag, **{"work.py": code})).run_sync({"picture": f"{site}/x.png"})
    assert result.outputs["y"][:2] == [len(PNG), "image/png"]
    assert bytes(result.outputs["y"][2]) == PNG + b"!"
