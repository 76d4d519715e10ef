"""Images as values of flows: bytes with a type, as Prompt flow's tools know them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from opsloop.flows.errors import InputInvalid

SIZE_LIMIT_BYTES = 20_000_000
_KEY = re.compile(r"data:(?P<mime>image/(?:[\w.+-]+|\*));(?P<kind>path|url|base64)")
_DATA_URL = re.compile(r"data:(?P<mime>image/[\w.+-]+);base64,(?P<data>[A-Za-z0-9+/=\s]+)")
_URL = re.compile(r"https?://\S+")
_SIGNS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)

Fetch = Callable[[str], bytes]


def left_there(url: str) -> bytes:
    """Fetches nothing: the image is known by its address alone."""
    return b""


class Image(bytes):
    """An image. Its text is a short name, `Image(1f6d2a3b)`, and never its bytes.

    One that a model is to look at where it is has a `source_url` and no bytes.
    """

    _mime_type: str
    _source_url: str | None

    def __new__(cls, value: bytes, mime_type: str | None = None, source_url: str | None = None) -> Image:
        made = super().__new__(cls, value)
        made._mime_type = (mime_type or _sniffed(value)).lower()
        made._source_url = source_url
        return made

    def __init__(self, value: bytes, mime_type: str | None = None, source_url: str | None = None) -> None:
        super().__init__()

    @property
    def mime_type(self) -> str:
        return self._mime_type

    @property
    def source_url(self) -> str | None:
        return self._source_url

    @property
    def _hash(self) -> str:
        named = bytes(self) or (self._source_url or "").encode()
        return hashlib.sha1(named, usedforsecurity=False).hexdigest()[:8]

    def to_base64(self, with_type: bool = False) -> str:
        text = base64.b64encode(self).decode()
        return f"data:{self._mime_type};base64,{text}" if with_type else text

    def serialize(self, encoder: Callable[[Image], Any] | None = None) -> Any:
        return str(self) if encoder is None else encoder(self)

    def __str__(self) -> str:
        return f"Image({self._hash})"

    __repr__ = __str__

    def __reduce__(self) -> Any:
        return type(self), (bytes(self), self._mime_type, self._source_url)


def is_image(value: object) -> bool:
    """Whether a value is an image, be it this class or that of an installed Prompt flow."""
    return isinstance(value, bytes) and hasattr(value, "to_base64")


def images_in(value: object, depth: int = 0) -> Iterator[Any]:
    """Every image in a value, however deep in lists and mappings."""
    if is_image(value):
        yield value
    elif isinstance(value, Mapping | list | tuple) and depth < 20:
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from images_in(part, depth + 1)


def data_url(image: Any) -> str:
    """The image as a model takes it: where it is when it came from the web, else its bytes."""
    url = getattr(image, "source_url", None)
    return str(url) if url else str(image.to_base64(with_type=True))


def as_image(value: Any, *, folder: Path, fetch: Fetch, field: str = "the image") -> Any:
    """An image from what a caller gave: a file of the flow's folder, a URL, a data URL, base64, or Prompt flow's form.

    Args:
        fetch: gets the bytes behind a URL.
    Raises: InputInvalid naming the field.
    """
    if is_image(value) or value is None:
        return value
    if isinstance(value, Mapping):
        return _from_mapping(value, folder=folder, fetch=fetch, field=field)
    if not isinstance(value, str):
        raise _wrong(field, value)
    if (found := _DATA_URL.fullmatch(value.strip())) is not None:
        return Image(_decoded(found["data"], field), found["mime"])
    if _URL.fullmatch(value.strip()):
        return Image(fetch(value.strip()), source_url=value.strip())
    if len(value) < 1_000 and _is_file(folder / value):
        return Image(_file(folder, value, field))
    return Image(_decoded(value, field))


def with_images(value: Any, *, folder: Path, fetch: Fetch, field: str, depth: int = 0) -> Any:
    """A value in which each `{"data:image/png;path": …}` has become an image."""
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(only := next(iter(value)), str) and _KEY.fullmatch(only):
            return _from_mapping(value, folder=folder, fetch=fetch, field=field)
        if depth < 20:
            return {
                key: with_images(part, folder=folder, fetch=fetch, field=f"{field}.{key}", depth=depth + 1)
                for key, part in value.items()
            }
    if isinstance(value, list) and depth < 20:
        return [
            with_images(part, folder=folder, fetch=fetch, field=f"{field}[{index}]", depth=depth + 1)
            for index, part in enumerate(value)
        ]
    return value


def holds_image_mapping(value: object, depth: int = 0) -> bool:
    """Whether there is anything in a value that `with_images` would change."""
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(only := next(iter(value)), str) and _KEY.fullmatch(only):
            return True
        return depth < 20 and any(holds_image_mapping(part, depth + 1) for part in value.values())
    return isinstance(value, list) and depth < 20 and any(holds_image_mapping(part, depth + 1) for part in value)


def as_mapping(image: Any) -> dict[str, str]:
    """An image in Prompt flow's form, as JSON can hold it and `as_image` reads it."""
    mime = str(getattr(image, "_mime_type", "image/*"))
    if url := getattr(image, "source_url", None):
        return {f"data:{mime};url": str(url)}
    return {f"data:{mime};base64": str(image.to_base64())}


def _from_mapping(value: Mapping[str, Any], *, folder: Path, fetch: Fetch, field: str) -> Image:
    key = next(iter(value), None)
    found = _KEY.fullmatch(key) if isinstance(key, str) and len(value) == 1 else None
    if found is None or key is None or not isinstance(value[key], str):
        raise _wrong(field, value)
    content, mime = value[key].strip(), None if found["mime"].endswith("*") else found["mime"]
    if found["kind"] == "url":
        return Image(fetch(content), mime, content)
    data = _file(folder, content, field) if found["kind"] == "path" else _decoded(content, field)
    return Image(data, mime)


def _file(folder: Path, path: str, field: str) -> bytes:
    place = folder / path
    # What a caller names must not lead out of the flow's own files.
    if not _is_file(place) or not place.resolve().is_relative_to(folder.resolve()):
        raise InputInvalid(field=field, value=path, wanted="the path of an image in the flow's folder")
    if place.stat().st_size > SIZE_LIMIT_BYTES:
        raise InputInvalid(field=field, value=path, wanted=f"an image of at most {SIZE_LIMIT_BYTES} bytes")
    return place.read_bytes()


def _is_file(place: Path) -> bool:
    try:
        return place.is_file()
    except (OSError, ValueError):  # a name that no file can have: too long, a NUL in it
        return False


def _decoded(text: str, field: str) -> bytes:
    try:
        data = base64.b64decode(re.sub(r"\s+", "", text), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise _wrong(field, text)
    return data


def _wrong(field: str, value: object) -> InputInvalid:
    wanted = 'an image: a path, a URL, a data URL, base64, or {"data:image/png;path": "…"} with path, url or base64'
    return InputInvalid(field=field, value=value, wanted=wanted)


def _sniffed(data: bytes) -> str:
    for sign, mime in _SIGNS:
        if data.startswith(sign):
            return mime
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else "image/*"
