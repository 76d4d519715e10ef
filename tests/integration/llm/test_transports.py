"""What carries calls to model servers, against servers that break every rule, over real sockets on this machine."""

import asyncio
import gc
import gzip
import json
import ssl
import subprocess
import sys
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

import pytest
import uvloop
from cryptography import x509

from opsloop.core.errors import InvalidInput
from opsloop.llm import transport as port
from opsloop.llm.errors import AnswerTooLong, ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.http1 import pool
from opsloop.llm.http1.transport import Http1Transport
from opsloop.llm.openai_compatible import OpenAICompatible
from opsloop.llm.port import Completion
from opsloop.llm.proxies import proxy_for
from opsloop.llm.retrying import Patience
from opsloop.llm.servers import ModelServer
from opsloop.llm.transport import Transport
from opsloop.testing.model_server import ModelServer as ModelServerForTests
from tests.certificates import self_signed

HELLO = [{"role": "user", "content": "hello"}]
GOOD = json.dumps({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}).encode()
ONCE = Patience(attempts=1)
LOCAL = x509.IPAddress(ip_address("127.0.0.1"))
LOOPS = {"asyncio": None, "uvloop": uvloop.new_event_loop}
T = TypeVar("T")


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def carried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is run on both kinds of loops."""
    monkeypatch.setattr(sys.modules[__name__], "loop_factory", LOOPS[request.param])


loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None


def run(work: Coroutine[object, object, T]) -> T:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(work)


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

        return run(ask())

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


@pytest.mark.parametrize("kind", [b"application/json", b"text/event-stream"])
def test_what_unpacks_to_more_than_an_answer_may_have_is_cut_off(kind: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_LLM_ANSWER_LIMIT_BYTES", "10000")
    bomb = gzip.compress(b" \n" * 1_000_000)
    server = Raw(sized(bomb, b"content-encoding: gzip").replace(b"application/json", kind))
    with pytest.raises(AnswerTooLong, match="over the limit of 10000 bytes"):
        server.stream() if kind == b"text/event-stream" else server.chat()


def test_an_answer_that_says_it_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_LLM_ANSWER_LIMIT_BYTES", "10000")
    with pytest.raises(AnswerTooLong):
        Raw(sized(b"x" * 10_001)[:200]).chat()


def test_a_server_whose_answers_are_too_long_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_LLM_ANSWER_LIMIT_BYTES", "10000")
    server = Raw(sized(b"x" * 10_001), sized(GOOD))
    with pytest.raises(AnswerTooLong, match="raise OPSLOOP_LLM_ANSWER_LIMIT_BYTES"):
        server.chat(Patience(attempts=2, first_wait_s=0.0))
    assert len(server.heads) == 1


def test_vectors_may_be_as_long_as_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_LLM_ANSWER_LIMIT_BYTES", "10000")
    data = [{"index": index, "embedding": [0.5] * 4_000} for index in range(2)]
    body = json.dumps({"data": data}).encode()
    assert len(body) > 40_000
    found = Raw(sized(body)).ask(lambda provider: provider.embed(["a", "b"]))
    assert [len(vector) for vector in found.vectors] == [4_000, 4_000]


class Endless:
    """A server that never stops: `piece` again and again."""

    def __init__(self, kind: bytes, piece: bytes) -> None:
        self.head = b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\ntransfer-encoding: chunked\r\n\r\n"
        self.chunk = b"%x\r\n%s\r\n" % (len(piece), piece)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            writer.write(self.head)
            while True:
                writer.write(self.chunk)
                await writer.drain()
        writer.close()


WORD = {"choices": [{"delta": {"content": "word " * 200}}]}


@pytest.mark.parametrize(
    ("kind", "piece"),
    [
        (b"application/json", b" " * 10_000),
        (b"text/event-stream", b"data: " + b"x" * 10_000),
        (b"text/event-stream", b"data: " + json.dumps(WORD).encode() + b"\n\n"),
        (b"text/event-stream", b": %b\n\n" % (b"." * 500)),
    ],
    ids=["one body", "one line", "text", "nothing"],
)
def test_servers_that_never_stop_are_cut_off_in_bounded_memory(
    kind: bytes, piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four calls at a time, of 200 KB each; a connection holds up to a megabyte that was not read yet."""
    monkeypatch.setenv("OPSLOOP_LLM_ANSWER_LIMIT_BYTES", "200000")
    server = Endless(kind, piece)

    async def ask() -> list[object]:
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
            url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
            provider = OpenAICompatible(ModelServer(url), model="m", patience=ONCE)
            calls = (pieces(provider) if kind == b"text/event-stream" else text(provider) for _ in range(4))
            try:
                return await asyncio.gather(*calls, return_exceptions=True)
            finally:
                await provider.aclose()
                async with asyncio.timeout(10):
                    while len(asyncio.all_tasks()) > 1:  # the server's
                        await asyncio.sleep(0.01)

    tracemalloc.start()
    try:
        found = run(ask())
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [type(each) for each in found] == [AnswerTooLong] * 4
    assert peak_bytes < 4 * 4_000_000


def test_a_redirect_is_not_followed_with_the_key() -> None:
    moved = sized(b"", b"location: http://127.0.0.1:1/elsewhere", status=b"307 Temporary Redirect")
    with pytest.raises(ModelRefused, match="status 307"):
        Raw(moved).chat()


def test_nobody_at_the_address_is_said_without_a_traceback() -> None:
    provider = OpenAICompatible(ModelServer("http://127.0.0.1:1/v1"), model="m", patience=ONCE)
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:1/v1 cannot be reached"):
        run(text(provider))


def test_a_key_with_a_line_end_is_refused_and_not_shown() -> None:
    provider = OpenAICompatible(ModelServer("http://127.0.0.1:1/v1", api_key="sk\r\nx-evil: 1"), model="m")
    with pytest.raises(InvalidInput, match="without line ends") as caught:
        run(text(provider))
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

    assert run(ask_and_leave()) == "hi"
    gc.collect()  # a session left open warns when it is collected, and a warning fails the test


def by_proxy(monkeypatch: pytest.MonkeyPatch, scheme: str, proxy: str) -> None:
    """Have the environment name a proxy for a scheme of addresses."""
    proxy_for.cache_clear()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(f"{scheme}_proxy", proxy)


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> list[str]:
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
            by_proxy(monkeypatch, "http", f"http://maria:p%40w@127.0.0.1:{listener.sockets[0].getsockname()[1]}")
            provider = OpenAICompatible(ModelServer("http://models.test/v1"), model="m", patience=ONCE)
            try:
                return [await text(provider), await text(provider)]
            finally:
                await provider.aclose()

    server = Raw(sized(GOOD), sized(GOOD))
    assert run(work()) == ["hi", "hi"]
    assert server.connections == 1
    first, *fields = server.heads[0].decode().splitlines()
    assert first == "POST http://models.test/v1/chat/completions HTTP/1.1"
    assert "host: models.test" in fields
    assert "proxy-authorization: Basic bWFyaWE6cEB3" in fields  # maria:p@w


class Tunnels:
    """A proxy that answers CONNECT with the head it is given, and passes everything on to one port."""

    def __init__(self, head: bytes, port: int) -> None:
        self.head = head
        self.port = port
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            for piece in (self.head[:9], self.head[9:]):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)  # the two come apart
            if b" 200 " in self.head:
                there, back = await asyncio.open_connection("127.0.0.1", self.port)
                await asyncio.gather(self.copy(reader, back), self.copy(there, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def copy(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while piece := await source.read(65_536):
            to.write(piece)
            await to.drain()
        to.close()


async def through(
    monkeypatch: pytest.MonkeyPatch, server: Raw, context: ssl.SSLContext, head: bytes
) -> tuple[list[bytes], Tunnels]:
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context) as listener:
        tunnels = Tunnels(head, listener.sockets[0].getsockname()[1])
        async with await asyncio.start_server(tunnels.serve, "127.0.0.1", 0) as proxy:
            by_proxy(monkeypatch, "https", f"http://maria:pw@127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
            transport, answers = Http1Transport(5.0), []
            try:
                for _ in range(2):
                    reply = await transport.post("https://models.test/v1", {}, b"{}")
                    answers.append(await reply.read(1_000))
                    await reply.close()
            finally:
                await transport.aclose()
                async with asyncio.timeout(60):
                    while len(asyncio.all_tasks()) > 1:  # what the proxy copies
                        await asyncio.sleep(0.01)
    return answers, tunnels


def test_tls_goes_through_a_tunnel_of_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = trusted(tmp_path, monkeypatch, x509.DNSName("models.test"))
    server = Raw(sized(GOOD), sized(GOOD))
    answers, tunnels = run(through(monkeypatch, server, context, b"HTTP/1.1 200 Connection established\r\n\r\n"))
    assert answers == [GOOD, GOOD]
    [asked] = tunnels.heads
    assert asked.decode().splitlines()[:3] == [
        "CONNECT models.test:443 HTTP/1.1",
        "host: models.test:443",
        "proxy-authorization: Basic bWFyaWE6cHc=",
    ]
    assert server.heads[0].startswith(b"POST /v1 HTTP/1.1")
    assert b"proxy-authorization" not in server.heads[0]  # that is the proxy's to know


def test_through_a_tunnel_the_certificate_has_to_be_for_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = trusted(tmp_path, monkeypatch, x509.DNSName("other.test"))
    with pytest.raises(port.TransportFailed, match="certificate"):
        run(through(monkeypatch, Raw(sized(GOOD)), context, b"HTTP/1.1 200 OK\r\n\r\n"))


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "the proxy refuses to connect to models.test:443: status",
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\n", "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 20_000, "does not answer in HTTP"),
    ],
    ids=["refused", "no HTTP", "half a head", "a head without end"],
)
def test_a_proxy_that_opens_no_tunnel_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: bytes, wanted: str
) -> None:
    context = trusted(tmp_path, monkeypatch, x509.DNSName("models.test"))
    head = head.replace(b" 200 ", b" 201 ")  # so that the proxy of this test hangs up
    with pytest.raises(port.TransportFailed, match=wanted):
        run(through(monkeypatch, Raw(), context, head))


@pytest.mark.parametrize("proxy", ["https://127.0.0.1:1", "socks5://127.0.0.1:1", "http://[", "http://h:99999"])
def test_a_proxy_that_cannot_be_spoken_to_is_told_without_its_address(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    by_proxy(monkeypatch, "http", proxy)

    async def ask() -> None:
        await Http1Transport(1.0).post("http://models.test/v1", {}, b"")

    with pytest.raises(port.TransportFailed, match="the environment names a proxy") as caught:
        run(ask())
    assert "127.0.0.1" not in str(caught.value)


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


def test_a_connection_that_the_server_closed_meanwhile_is_not_used() -> None:
    async def twice(provider: OpenAICompatible) -> list[str]:
        first = await text(provider)
        await asyncio.sleep(0.05)  # until the end of the first connection has come
        return [first, await text(provider)]

    server = Raw(sized(GOOD), sized(GOOD), hangs_up=True)
    assert server.ask(twice) == ["hi", "hi"]
    assert server.connections == 2


def test_what_comes_after_an_answer_is_never_the_answer_to_the_next_call() -> None:
    async def twice(provider: OpenAICompatible) -> list[str]:
        return [await text(provider), await text(provider)]

    evil = sized(GOOD.replace(b"hi", b"evil"))
    assert Raw(sized(GOOD) + evil, sized(GOOD)).ask(twice) == ["hi", "hi"]


def test_a_call_that_was_cancelled_leaves_no_half_answer_to_the_next() -> None:
    async def cancelled_then_asked(provider: OpenAICompatible) -> str:
        call = asyncio.create_task(text(provider))
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        return await text(provider)

    server = Raw(sized(GOOD)[:-5], sized(GOOD))
    assert server.ask(cancelled_then_asked) == "hi"
    assert server.connections == 2


def test_calls_at_once_use_a_connection_each_and_keep_them() -> None:
    async def many(provider: OpenAICompatible) -> list[str]:
        return [each for _ in range(3) for each in await asyncio.gather(*(text(provider) for _ in range(20)))]

    server = Raw(*[sized(GOOD)] * 60)
    assert server.ask(many) == ["hi"] * 60
    assert server.connections == 20


def test_a_large_answer_comes_whole() -> None:
    large = json.dumps({"choices": [{"message": {"content": "é" * 1_300_000}, "finish_reason": "stop"}]}).encode()
    assert Raw(sized(large)).chat() == "é" * 1_300_000


def test_a_server_that_says_nothing_is_given_up() -> None:
    async def ask(transport: Transport, url: str) -> None:
        try:
            await transport.post(url, {}, b"{}")
        finally:
            await transport.aclose()

    async def silent(transport: Transport) -> None:
        server = Raw(b" ")
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
            await ask(transport, f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1")

    with pytest.raises(port.TransportFailed):
        run(silent(Http1Transport(0.05)))


def test_a_header_with_a_line_end_is_not_sent() -> None:
    async def ask() -> None:
        await Http1Transport(1.0).post("http://127.0.0.1:1/v1", {"x": "a\r\nevil: b"}, b"")

    with pytest.raises(port.TransportFailed, match="line end"):
        run(ask())


def test_over_tls_a_certificate_that_nobody_trusts_is_refused(tmp_path: Path) -> None:
    key, certificate = self_signed(tmp_path, LOCAL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def ask() -> str:
        server = Raw(sized(GOOD))
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context) as listener:
            port_number = listener.sockets[0].getsockname()[1]
            provider = OpenAICompatible(ModelServer(f"https://127.0.0.1:{port_number}/v1"), model="m", patience=ONCE)
            try:
                return await text(provider)
            finally:
                await provider.aclose()

    with pytest.raises(ModelUnavailable, match="certificate"):
        run(ask())


def test_over_tls_a_trusted_server_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = trusted(tmp_path, monkeypatch, LOCAL)

    async def ask() -> list[int]:
        server = Raw(sized(GOOD), sized(GOOD))
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context) as listener:
            transport = Http1Transport(5.0)
            url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
            try:
                for _ in range(2):
                    reply = await transport.post(url, {}, b"{}")
                    assert await reply.read(1_000) == GOOD
                    await reply.close()
            finally:
                await transport.aclose()
        return [server.connections]

    assert run(ask()) == [1]


def trusted(folder: Path, monkeypatch: pytest.MonkeyPatch, name: x509.GeneralName) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate for a name that calls trust in this test."""
    key, certificate = self_signed(folder, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setattr(pool, "_trusting", lambda: ssl.create_default_context(cafile=str(certificate)))
    return context
