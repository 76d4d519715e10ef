"""Office files are ZIP archives of XML: what is looked at before a library opens one."""

from __future__ import annotations

import io
import zipfile
import zlib

from opsloop.rag.parsing.trouble import CannotRead, damaged

MAX_BYTES = 300_000_000
MAX_PARTS = 20_000
# Sheets of one repeated value shrink to a hundredth; what shrinks more, and is large, was made to.
_MAX_RATIO = 200
_RATIO_FROM_BYTES = 20_000_000
_READ_BYTES = 1 << 20
_LONGEST_MARK = 32
_DOCTYPE = [mark for text in ("<!DOCTYPE", "<!ENTITY") for mark in (text.encode(), text.encode("utf-16-le"))]


def check(data: bytes, what: str, main_part: str) -> None:
    """See that an archive is safe to open.

    Args:
        main_part: the file inside it that makes it `what`.
    Raises: CannotRead.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            _check_sizes(parts)
            if main_part not in {part.filename for part in parts}:
                raise CannotRead(f"it is a ZIP archive, but not {what}; give it the name it should have")
            for part in parts:
                if part.flag_bits & 1:
                    raise CannotRead("it is protected by a password; save it without one and upload it again")
                if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _check_xml(archive, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError):
        raise damaged(what) from None


def _check_sizes(parts: list[zipfile.ZipInfo]) -> None:
    """What the archive's directory says holds: no part is read beyond its size there."""
    size = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if len(parts) > MAX_PARTS or size > MAX_BYTES:
        reason = (
            f"unpacked it has {size:,} bytes in {len(parts):,} parts, the limits are {MAX_BYTES:,} and {MAX_PARTS:,}"
        )
        raise CannotRead(f"{reason}; split it")
    if size > _RATIO_FROM_BYTES and size > _MAX_RATIO * packed:
        raise CannotRead(f"it unpacks to more than {_MAX_RATIO} times its size, like a zip bomb; save it anew")


def _check_xml(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Office files declare no entities; one that does was made to grow or to reach for other files."""
    with archive.open(part) as file:
        rest = b""
        while chunk := file.read(_READ_BYTES):
            seen = rest + chunk
            if any(mark in seen for mark in _DOCTYPE):
                raise CannotRead("its XML declares entities, which no Office program writes; save it anew in one")
            rest = seen[-_LONGEST_MARK:]
