"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

from opsloop.rag.parsing.kinds import Kind
from opsloop.rag.parsing.trouble import CannotRead, damaged

_STARTS = {
    b"%PDF-": "pdf",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "ole",
    b"\x89PNG\r\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"{\\rtf": "rtf",
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x7fELF": "program",
}
_NAMES = {
    "pdf": "a PDF document; give it a name that ends in .pdf",
    "zip": "a ZIP archive or an Office file; unpack it, or give it the name it should have, such as .docx",
    "ole": "an Office file of 97-2003 or one with a password; save it as .docx, .pptx or .xlsx without a password",
    "png": "a PNG picture; upload a file with text in it",
    "jpeg": "a JPEG picture; upload a file with text in it",
    "gif": "a GIF picture; upload a file with text in it",
    "tiff": "a TIFF picture; upload a file with text in it",
    "rtf": "an RTF document; save it as .docx",
    "gzip": "packed with gzip; unpack it",
    "7z": "a 7z archive; unpack it",
    "rar": "a RAR archive; unpack it",
    "program": "a program; upload a file with text in it",
}
# Programs write a PDF's header anywhere in its first 1,024 bytes, and readers accept that.
_PDF_HEADER_WITHIN = 1_024
# The name of the stream that holds an Office file with a password, as the container's directory has it.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def check(kind: Kind, data: bytes) -> None:
    """Raises: CannotRead when the bytes are something other than the name says."""
    found = _found(data)
    if found == kind.content or (kind.content == "pdf" and b"%PDF-" in data[:_PDF_HEADER_WITHIN]):
        return
    if found == "ole" and kind.content == "zip":
        raise _old_office(kind, data)
    if found is not None:
        raise CannotRead(f"its name says that it is {kind.what}, but it is {_NAMES[found]}")
    raise damaged(kind.what)


def _found(data: bytes) -> str | None:
    return next((name for start, name in _STARTS.items() if data.startswith(start)), None)


def _old_office(kind: Kind, data: bytes) -> CannotRead:
    if _ENCRYPTED in data:
        return CannotRead("it is protected by a password; save it without one and upload it again")
    return CannotRead(f"it is an Office file in the form of 97-2003, not {kind.what}; save it in the form of today")
