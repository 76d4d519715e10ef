"""Compressed bodies, unpacked as they come and no further than a length."""

from __future__ import annotations

import zlib

from opsloop.llm.transport import TransportFailed

ACCEPTED = "gzip, deflate"
_GZIP, _ZLIB, _RAW = 31, 15, -15


class Decoder:
    """Args: coding: as the header `content-encoding` names it. Raises: TransportFailed, as both methods do."""

    def __init__(self, coding: str) -> None:
        self._coding = coding.strip().lower()
        if self._coding not in ("gzip", "x-gzip", "deflate"):
            raise TransportFailed(f"its answer is encoded as {self._coding[:40]!r}, which nobody asked for")
        self._unpacker = None if self._coding == "deflate" else zlib.decompressobj(_GZIP)

    def feed(self, packed: bytes, most_bytes: int) -> bytes:
        """What comes of a piece; more than `most_bytes` is refused before it is made."""
        if not packed:
            return b""
        if self._unpacker is None:  # some servers leave out the head that RFC 9110, 8.4.1.2 wants
            self._unpacker = zlib.decompressobj(_ZLIB if packed[0] & 0x0F == 8 else _RAW)
        try:
            found = self._unpacker.decompress(packed, most_bytes + 1)
            while self._unpacker.eof and self._unpacker.unused_data and len(found) <= most_bytes:
                packed, self._unpacker = self._unpacker.unused_data, zlib.decompressobj(_GZIP)
                found += self._unpacker.decompress(packed, most_bytes + 1 - len(found))
        except zlib.error as error:
            raise TransportFailed(f"its answer is not {self._coding} as it says") from error
        return found

    def finish(self) -> None:
        if self._unpacker is not None and not self._unpacker.eof:
            raise TransportFailed("its answer breaks off")
