"""A model server that answers as a provider does, and fails in the ways that providers fail."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress

from soak import personal

MODES = ("slow", "down", "garbage", "half", "endless")
SLOW_S = 8.0
_GARBAGE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{not json",
    b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\noops",
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 17\r\n\r\n<html>bad gateway",
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{",
    b"\x00\xff\x00 no HTTP at all\r\n\r\n",
)
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Model:
    """Args: seed: of what it answers and which garbage it sends."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.mode = "well"
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def become(self, mode: str) -> None:
        """Fail in this way from now on; `well` ends it."""
        was, self.mode = self.mode, mode
        if mode == "down":
            await self.stop()
        elif was == "down":
            await self.start()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One answer; whether the connection stays."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        asked = json.loads(await reader.readexactly(int(length.partition(b":")[2])) or b"{}")
        mode, streams = self.mode, bool(asked.get("stream"))
        if mode == "slow":
            await asyncio.sleep(SLOW_S)
        if mode == "garbage":
            writer.write(self._random.choice(_GARBAGE))
            await writer.drain()
            return False
        if mode == "endless":
            writer.write(_STREAM_HEAD)
            while self.mode == "endless":
                writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
                await writer.drain()
            return False
        text = f"The refund takes five days. {personal.some(self._random)} Anything else is in the handbook."
        if streams:
            return await self._stream(writer, text, breaks=mode == "half")
        body = json.dumps(
            {
                "id": "c",
                "object": "chat.completion",
                "created": 1,
                "model": "scripted",
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": 40, "completion_tokens": 40, "total_tokens": 80},
            }
        ).encode()
        sent = body[: len(body) // 2] if mode == "half" else body
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        writer.write(head + sent)
        await writer.drain()
        return mode != "half"

    async def _stream(self, writer: asyncio.StreamWriter, text: str, *, breaks: bool) -> bool:
        """Pieces of a few characters, with personal data across them; a third of them when it `breaks`."""
        writer.write(_STREAM_HEAD)
        pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
        for number, piece in enumerate(pieces):
            if breaks and number > len(pieces) // 3:
                return False
            _send(writer, json.dumps(_chunk({"content": piece}, None)).encode())
            await writer.drain()
        _send(writer, json.dumps(_chunk({}, "stop")).encode())
        _send(writer, b"[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _chunk(delta: dict[str, str], reason: str | None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [choice]}


def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    event = b"data: " + data + b"\n\n"
    writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
