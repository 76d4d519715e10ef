"""Lines of a log of any size: split as bytes are, decoded without failing, freed of what a terminal or CI adds."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

LONGEST_BYTES = 64 * 1024
CUT_MARK = " …[cut]"

_PIECE_BYTES = 64 * 1024
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

# ECMA-48: control sequences, operating system commands (titles, links) and the two-character escapes.
_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]?|\][^\x07\x1b]*+(?:\x07|\x1b\\)?|[PX^_][^\x1b]*+(?:\x1b\\)?|[ -/]*+[0-~])?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]+")
_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
# GitHub, GitLab ("… 00O " or "… 00O+"), Azure DevOps, Kubernetes, CloudWatch, Jenkins with and without brackets and
# Taskcluster ("[task …]"). What a line is indented by after it is the line's own.
_STAMP = re.compile(rf"\[?(?:task )?({_ISO})\]?(?: \d\d[OE](?:[+ ]|$)|[ \t]|$)")
_CLOCK = re.compile(r"\[?\d\d:\d\d:\d\d(?:[.,]\d{1,6})?\]?(?:[ \t]{1,2}|$)")
# Colours whose escape character was lost on the way; `rate(x[5m])` is none.
_BARE_COLOUR = re.compile(r"\[(?:0|[0-9]{1,3}(?:;[0-9]{1,3})+|0?[1-47]|22|[349][0-7]|39|49|10[0-7])?m(?!\])|^\[0?K")
_BUILDKIT = re.compile(r"#\d{1,4} \d{1,6}\.\d{1,3} ")
_FOLD = re.compile(r"(?:section_(?:start|end):\d+:[\w.-]+(?:\[[^\]]*\])?|travis_(?:fold|time):\w+:[\w.:,=-]*)")
# What `gh run view --log` puts before each line: job, step, then the line as the runner wrote it.
_STEP = re.compile(r"([^\t]{1,120})\t([^\t]{1,120})\t\ufeff?(?=\d{4}-\d\d-\d\dT)")


class Line(NamedTuple):
    """One line of a log.

    Args:
        number: 1-based, counted as `bytes.splitlines` does.
        text: without escapes, the runner's timestamps and prefixes; ends in a mark when it was cut.
        raw: as it was decoded, cut too.
        at: aware UTC, of the timestamp in front; a timestamp without a zone is taken for UTC.
        step: "job / step" when the log names it in front of each line, else "".
    """

    number: int
    text: str
    raw: str
    at: datetime | None
    step: str = ""


def read_lines(chunks: Iterable[bytes], *, longest_bytes: int = LONGEST_BYTES) -> Iterator[Line]:
    """The lines of a log that comes in chunks of any size; holds no more than one chunk and one line.

    Args:
        longest_bytes: a longer line is cut there and marked; the next line keeps its number.
    Encodings may be mixed: UTF-16 is known by its mark, a line that is no UTF-8 is read as Latin-1.
    """
    for number, (line, is_cut) in enumerate(_split(_as_utf8(chunks), longest_bytes), 1):
        raw = decoded(line)
        text, at, step = cleaned(raw)
        if is_cut:
            text, raw = text + CUT_MARK, raw + CUT_MARK
        yield Line(number, text, raw, at, step)


def raw_lines(chunks: Iterable[bytes], *, longest_bytes: int = LONGEST_BYTES) -> Iterator[tuple[int, bytes]]:
    """Each line with its number, as `read_lines` counts and cuts them, undecoded: for whoever looks at few of them."""
    return enumerate((line for line, _ in _split(_as_utf8(chunks), longest_bytes)), 1)


def lines_of(text: str | bytes) -> list[Line]:
    """The lines of a log that is in memory."""
    return list(read_lines([text.encode("utf-8", "replace") if isinstance(text, str) else text]))


def cleaned(raw: str) -> tuple[str, datetime | None, str]:
    """A line's text without escapes, timestamp and prefix; the timestamp; "job / step" or ""."""
    text, at, step = unstamped(raw)
    first = text[:1]
    if first == "#" and (prefix := _BUILDKIT.match(text)):
        text = text[prefix.end() :]
    elif first in ("s", "t") and (fold := _FOLD.match(text)):
        text = text[fold.end() :]
    return text.rstrip(), at, step


def unstamped(raw: str) -> tuple[str, datetime | None, str]:
    """As `cleaned`, with the prefixes that tell which system wrote the line, and with its indentation."""
    text, at, step = raw, None, ""
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    if not text.isprintable():
        text = _CONTROL.sub("", text)
        if "\t" in text and (named := _STEP.match(text)):
            step, text = f"{named[1]} / {named[2]}", text[named.end() :]
    if "[" in text:
        text = _BARE_COLOUR.sub("", text)
    text = text.lstrip("\ufeff")
    first = text[:1]
    if first.isdigit() or first == "[":
        if stamp := _STAMP.match(text):
            at, text = _instant(stamp[1]), text[stamp.end() :]
        elif clock := _CLOCK.match(text):
            text = text[clock.end() :]
    return text.rstrip(), at, step


def _instant(stamp: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(stamp.replace(",", "."))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def decoded(line: bytes) -> str:
    """A line as text: UTF-8, or Latin-1 where it is none."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        # A cut may fall into a character; what stands before it is still UTF-8.
        if len(line) - error.start < 4 and error.reason == "unexpected end of data":
            return line[: error.start].decode()
        return line.decode("latin-1")


def _as_utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks in pieces, those of a UTF-16 log as UTF-8."""
    decoder: codecs.IncrementalDecoder | None = None
    head, is_known = b"", False
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE_BYTES):
            piece = bytes(chunk[start : start + _PIECE_BYTES])
            if not is_known:
                head += piece
                if len(head) < 3:
                    continue
                piece, is_known = head, True
                if encoding := _UTF16.get(piece[:2]):
                    decoder, piece = codecs.getincrementaldecoder(encoding)("replace"), piece[2:]
                elif piece.startswith(codecs.BOM_UTF8):
                    piece = piece[3:]
            yield decoder.decode(piece).encode("utf-8", "replace") if decoder else piece
    if not is_known:
        yield b"" if head in _UTF16 else head
    elif decoder and (rest := decoder.decode(b"", final=True)):
        yield rest.encode("utf-8", "replace")


def _split(pieces: Iterable[bytes], longest: int) -> Iterator[tuple[bytes, bool]]:
    """Each line, and whether it was cut. Of an unfinished line `longest` bytes are held and the rest is dropped."""
    held, dropped, ends_in_return, is_open = bytearray(), False, False, False
    for piece in pieces:
        if not piece:
            continue
        if ends_in_return and piece[:1] == b"\n":
            piece = piece[1:]
        ends_in_return = piece[-1:] == b"\r" if piece else False
        lines = piece.splitlines()
        if not lines:
            continue
        last_is_open = piece[-1:] not in (b"\n", b"\r")
        for line in lines[:-1] if last_is_open else lines:
            if is_open:
                dropped = dropped or len(held) + len(line) > longest
                held += line[: max(0, longest - len(held))]
                yield bytes(held), dropped
                held, dropped, is_open = bytearray(), False, False
            elif len(line) > longest:
                yield line[:longest], True
            else:
                yield line, False
        if last_is_open:
            dropped = dropped or len(held) + len(lines[-1]) > longest
            held += lines[-1][: max(0, longest - len(held))]
            is_open = True
    if is_open:
        yield bytes(held), dropped
