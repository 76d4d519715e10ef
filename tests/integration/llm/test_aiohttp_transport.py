"""The lean HTTP path against servers that break every rule, over real sockets on this machine."""

import asyncio
import gc
import gzip
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.llm import aiohttp_transport
from opsloop.llm.errors import ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.openai_compatible import OpenAICompatible
from opsloop.llm.port import Completion
from opsloop.llm.retrying import Patience
from opsloop.llm.servers import ModelServer
from opsloop.testing.model_server import ModelServer as ModelServerForTests

HELLO = [{"role": "user", "content": "hello"}]
GOOD = json.dumps({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}).encode()
ONCE = Patience(attempts=1)
T = TypeVar("T")


def sized(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"content-type: application/json", b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*chunks: bytes, kind: bytes = b"application/json") -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


class Raw:
    """A server that answers each request with the bytes it is given, and counts connections."""

    def __init__(self, *answers: bytes, hangs_up: bool = False) -> None:
        self.answers = list(answers)
        self.hangs_up = hangs_up
        self.connections = 0
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                writer.write(self.answers.pop(0))
                await writer.drain()
                if self.hangs_up:
                    break
            else:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def ask(self, call: Callable[[OpenAICompatible], Awaitable[T]], patience: Patience = ONCE) -> T:
        async def ask() -> T:
            async with await asyncio.start_server(self.serve, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                provider = OpenAICompatible(
                    ModelServer(f"http://127.0.0.1:{port}/v1", api_key="sk-secret"), model="m", patience=patience
                )
                try:
                    return await call(provider)
                finally:
                    await provider.aclose()

        return asyncio.run(ask())

    def chat(self, patience: Patience = ONCE) -> str:
        return self.ask(text, patience)

    def stream(self) -> list[str | Completion]:
        return self.ask(pieces)


async def text(provider: OpenAICompatible) -> str:
    return (await provider.chat(HELLO)).text


async def pieces(provider: OpenAICompatible) -> list[str | Completion]:
    return [piece async for piece in provider.stream(HELLO)]


def test_calls_one_after_another_use_one_connection() -> None:
    async def thrice(provider: OpenAICompatible) -> list[str]:
        return [await text(provider) for _ in range(3)]

    server = Raw(sized(GOOD), chunked(GOOD[:7], GOOD[7:]), sized(GOOD))
    assert server.ask(thrice) == ["hi", "hi", "hi"]
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" + sized(GOOD),
        sized(gzip.compress(GOOD, mtime=0), b"content-encoding: gzip"),
        chunked(*(GOOD[index : index + 1] for index in range(len(GOOD)))),
        b"HTTP/1.0 200 OK\r\n\r\n" + GOOD,
    ],
    ids=["100-continue", "gzip", "chunks of one byte", "until it hangs up"],
)
def test_every_lawful_form_of_an_answer_is_read(answer: bytes) -> None:
    assert Raw(answer, hangs_up=True).chat() == "hi"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02 garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        sized(GOOD)[:-5],
        chunked(GOOD)[:-9],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n" + GOOD,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + GOOD,
        b"HTTP/1.1 200 OK\r\ncontent-length: 1x\r\n\r\n" + GOOD,
        sized(GOOD, b"x-huge: " + b"a" * 100_000),
        sized(GOOD, *(b"x-%d: a" % index for index in range(5_000))),
        sized(b"not gzip at all", b"content-encoding: gzip"),
    ],
    ids=[
        "nothing",
        "no HTTP",
        "half a head",
        "half a body",
        "half a chunk",
        "no chunk size",
        "endless chunk size",
        "no content length",
        "huge header",
        "thousands of headers",
        "gzip that is none",
    ],
)
def test_a_broken_answer_is_a_server_that_is_unavailable(answer: bytes) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        Raw(answer, hangs_up=True).chat()
    assert "sk-secret" not in str(caught.value)


def test_a_call_that_broke_off_is_made_again() -> None:
    quick = Patience(attempts=2, first_wait_s=0.0)
    assert Raw(sized(GOOD)[:-5], sized(GOOD), hangs_up=True).chat(quick) == "hi"


def test_an_answer_without_end_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiohttp_transport, "LONGEST_ANSWER_BYTES", 1_000)
    bomb = gzip.compress(b" " * 1_000_000)
    with pytest.raises(ModelUnavailable, match="longer than 1000 bytes"):
        Raw(sized(bomb, b"content-encoding: gzip")).chat()


def test_a_redirect_is_not_followed_with_the_key() -> None:
    moved = sized(b"", b"location: http://127.0.0.1:1/elsewhere", status=b"307 Temporary Redirect")
    with pytest.raises(ModelRefused, match="status 307"):
        Raw(moved).chat()


def test_nobody_at_the_address_is_said_without_a_traceback() -> None:
    provider = OpenAICompatible(ModelServer("http://127.0.0.1:1/v1"), model="m", patience=ONCE)
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:1/v1 cannot be reached"):
        asyncio.run(text(provider))


def test_a_key_with_a_line_end_is_refused_and_not_shown() -> None:
    provider = OpenAICompatible(ModelServer("http://127.0.0.1:1/v1", api_key="sk\r\nx-evil: 1"), model="m")
    with pytest.raises(InvalidInput, match="without line ends") as caught:
        asyncio.run(text(provider))
    assert "evil" not in str(caught.value)


def event(body: object) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\r\n\r\n"


def test_events_cut_anywhere_are_put_together() -> None:
    events = b": note\r\n\r\n" + b"".join(
        event({"choices": [{"delta": {"content": part}, "finish_reason": end}]})
        for part, end in (("hé", None), ("llo", "stop"))
    )
    answer = chunked(*(events[index : index + 3] for index in range(0, len(events), 3)), kind=b"text/event-stream")
    *parts, completion = Raw(answer).stream()
    assert parts == ["hé", "llo"]
    assert isinstance(completion, Completion)
    assert completion.text == "héllo"


def test_a_stream_that_breaks_off_is_told() -> None:
    events = event({"choices": [{"delta": {"content": "he"}}]})
    with pytest.raises(ModelUnavailable, match="broke off its answer"):
        Raw(chunked(events, kind=b"text/event-stream")[:-5], hangs_up=True).stream()


def test_what_is_no_event_is_garbage() -> None:
    with pytest.raises(ModelGarbled):
        Raw(chunked(b"data: {oops\n\n", kind=b"text/event-stream")).stream()


def test_connections_are_closed_with_their_loop() -> None:
    """A command asks and ends; nobody is there to close the provider, and nothing may complain of it."""
    server = Raw(sized(GOOD))

    async def ask_and_leave() -> str:
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        provider = OpenAICompatible(ModelServer(f"http://127.0.0.1:{port}/v1"), model="m", patience=ONCE)
        try:
            return await text(provider)
        finally:
            listener.close()

    assert asyncio.run(ask_and_leave()) == "hi"
    gc.collect()  # a session left open warns when it is collected, and a warning fails the test


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def work() -> str:
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
            provider = OpenAICompatible(ModelServer("http://models.test/v1"), model="m", patience=ONCE)
            try:
                return await text(provider)
            finally:
                await provider.aclose()

    server = Raw(sized(GOOD))
    assert asyncio.run(work()) == "hi"
    assert server.heads[0].startswith(b"POST http://models.test/v1/chat/completions HTTP/1.1")


LEAVING = """
import asyncio, sys, threading
from opsloop.llm.openai_compatible import OpenAICompatible
from opsloop.llm.servers import ModelServer

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
provider = OpenAICompatible(ModelServer(sys.argv[1]), model="m")
asked = provider.chat([{"role": "user", "content": "hello"}])
print(asyncio.run_coroutine_threadsafe(asked, loop).result().text)
"""


def test_a_process_ends_without_a_complaint_though_a_loop_still_runs() -> None:
    with ModelServerForTests() as server:
        command = [sys.executable, "-X", "dev", "-c", LEAVING, server.base_url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "You said: hello\n", "")
