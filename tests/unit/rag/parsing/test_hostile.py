"""Files that were made to do harm, and broken ones: each is refused with a sentence, in bounded time and memory."""

from __future__ import annotations

import io
import os
import random
import signal
import zipfile
from collections.abc import Callable

import pytest

from opsloop.core.errors import ExtraNeeded
from opsloop.rag.models import UnreadableDocument, UnsupportedDocument
from opsloop.rag.parsing import _office, _writing, apart, limits
from opsloop.rag.parsing.kinds import KINDS, MEDIA_TYPES
from opsloop.rag.parsing.pieces import parsed
from opsloop.rag.parsing.read import text_of
from tests.unit.rag.parsing import files

SECRET = "Swordfish"
OFFICE: dict[str, Callable[[], bytes]] = {
    ".docx": files.docx,
    ".pptx": lambda: files.pptx([("Title", SECRET, "")]),
    ".xlsx": lambda: files.xlsx({"Sheet": [["a", "b"], [SECRET, 1]]}),
}
MAIN = {".docx": "word/document.xml", ".pptx": "ppt/presentation.xml", ".xlsx": "xl/worksheets/sheet1.xml"}


def refused(name: str, data: bytes) -> str:
    """The sentence that a file is refused with."""
    with pytest.raises(UnreadableDocument) as error:
        parsed(name, data, "sentences")
    assert str(error.value).startswith(f"{name}: ")
    assert SECRET not in str(error.value)
    assert error.value.__cause__ is None
    return str(error.value).removeprefix(f"{name}: ")


def sentence_of(name: str, data: bytes) -> str:
    """The sentence that a file is refused with; "" when it is read after all."""
    try:
        parsed(name, data, "sentences")
    except UnreadableDocument as error:
        return str(error)
    return ""


@pytest.mark.parametrize("suffix", sorted(KINDS))
def test_noise_is_refused_under_every_name(suffix: str) -> None:
    refused(f"a{suffix}", random.Random(7).randbytes(5_000))
    refused(f"a{suffix}", b"")
    refused(f"a{suffix}", b" \n")


@pytest.mark.parametrize("suffix", sorted(KINDS))
def test_a_picture_is_refused_under_every_name(suffix: str) -> None:
    assert "but it is a PNG picture" in refused(f"a{suffix}", b"\x89PNG\r\n\x1a\n" + b"x" * 100)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.txt", files.pdf(["Hi"]), "but it is a PDF document; give it a name that ends in .pdf"),
        ("a.pdf", files.docx(), "but it is a ZIP archive or an Office file"),
        ("a.docx", files.xlsx({"A": [["x"]]}), "it is a ZIP archive, but not a Word document"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "an Office file in the form of 97-2003"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "by a password"),
        ("a.pdf", files.pdf(["Hi"], encrypted=True), "by a password"),
        ("a.csv", b"a,b\n1,\"" + b"x" * 200_000, "the row that ends on line 2 is no CSV"),
        ("a.json", b'{"a":\n oops}', "no JSON from line 2, column 2"),
        ("a.jsonl", b'{"a": 1}\n{"a": ', "line 2 is no JSON from column 7"),
        ("a.json", b"[" * 100_000, "nested more than 100 deep"),
        ("a.json", b"[" * 200 + b"1" + b"]" * 200, "nested more than 100 deep"),
        ("a.eml", b"just some words", "none of the headers of an e-mail"),
        ("a.html", b"<p>\x01\x02", "no HTML page"),
        ("a.xlsx", files.xlsx({"A": []}), "it holds no words"),
        ("a.txt", b"x\f" * 20_000, "more than 10,000 pages"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_what_to_do(name: str, data: bytes, sentence: str) -> None:
    assert sentence in refused(name, data)


def test_another_kind_is_refused_with_those_that_are_read() -> None:
    with pytest.raises(
        UnsupportedDocument, match=r"a.exe: this kind of file cannot be read; send one of \.txt, .*\.eml"
    ):
        text_of("a.exe", b"MZ")
    assert set(MEDIA_TYPES) == set(KINDS)


@pytest.mark.parametrize("suffix", [*OFFICE, ".pdf"])
def test_a_file_that_is_cut_off_is_refused_or_read_as_far_as_it_goes(suffix: str) -> None:
    whole = OFFICE[suffix]() if suffix in OFFICE else files.pdf([SECRET])
    for share in (0.01, 0.3, 0.9, 0.999):
        assert SECRET not in sentence_of(f"a{suffix}", whole[: int(len(whole) * share)])


@pytest.mark.parametrize("suffix", OFFICE)
def test_a_file_with_bytes_changed_is_refused_or_read(suffix: str) -> None:
    chance = random.Random(5)
    for _ in range(10):
        data = bytearray(OFFICE[suffix]())
        for _ in range(20):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        assert SECRET not in sentence_of(f"a{suffix}", bytes(data))


@pytest.mark.parametrize("suffix", OFFICE)
def test_a_zip_bomb_is_refused_before_it_is_unpacked(suffix: str) -> None:
    bomb = files.with_part(OFFICE[suffix](), "media/zeros.bin", bytes(_office.MAX_BYTES // 10))
    assert "like a zip bomb" in refused(f"a{suffix}", bomb)


@pytest.mark.parametrize("suffix", OFFICE)
def test_an_archive_that_says_it_is_huge_is_refused(suffix: str) -> None:
    out = io.BytesIO(OFFICE[suffix]())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("media/a.bin", b"x")
        archive.getinfo("media/a.bin").file_size = 4_000_000_000
    assert "the limits are 300,000,000" in refused(f"a{suffix}", out.getvalue())


@pytest.mark.parametrize("suffix", OFFICE)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_with_entities_is_refused(suffix: str, encoding: str) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(10))
    bomb = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE d [{entities}]><d>&e9;</d>'.encode(encoding)
    assert "its XML declares entities" in refused(f"a{suffix}", files.with_part(OFFICE[suffix](), MAIN[suffix], bomb))


@pytest.mark.parametrize("suffix", OFFICE)
def test_xml_that_is_nested_without_end_is_refused_or_read(suffix: str) -> None:
    deep = b"<a>" * 100_000 + b"</a>" * 100_000
    refused(f"a{suffix}", files.with_part(OFFICE[suffix](), MAIN[suffix], deep))


@pytest.mark.parametrize(
    "objects",
    [
        {1: "<</Type/Catalog/Pages 2 0 R>>", 2: "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 4>>"},
        {
            1: "<</Type/Catalog/Pages 2 0 R>>",
            2: "<</Type/Pages/Kids[3 0 R]/Count 1000000>>",
            3: "<</Type/Pages/Parent 2 0 R/Kids[2 0 R]/Count 1000000>>",
        },
        {1: "<</Type/Catalog/Pages 1 0 R>>"},
        {1: "<</Type/Catalog/Pages 2 0 R>>", 2: f"<</Type/Pages/Kids[{'9 0 R ' * 20_000}]/Count 20000>>"},
    ],
)
def test_a_pdf_whose_pages_lead_back_to_themselves_or_are_countless_is_refused(objects: dict[int, str]) -> None:
    refused("a.pdf", files.pdf_of(objects))


def test_a_pdf_whose_cross_references_lead_in_a_circle_is_refused_or_read() -> None:
    data = files.pdf(["Hello there."])
    start = data.rindex(b"startxref\n") + len(b"startxref\n")
    place = data[start:].split(b"\n")[0]
    looped = data.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev " + place)
    assert text_of("a.pdf", looped) == "Hello there.\n\n\f\n"


def test_an_outline_that_leads_in_a_circle_is_read_once() -> None:
    data = files.pdf(["Intro\nHello."], outline={"Intro": 0, "More": 0})
    looped = data.replace(b"/Title(More)/Parent 4 0 R", b"/Title(More)/Next 12 0 R")
    assert text_of("a.pdf", looped) == "# Intro\n\nHello.\n\n\f\n"


def test_a_file_with_more_text_than_is_kept_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writing, "MAX_CHARACTERS", 1_000)
    key = b"k" * 100
    deep = b'{"' + key + b'": [' + b",".join([b'{"' + key + b'": 1}'] * 50) + b"]}"
    assert "more than 1,000 characters" in refused("a.json", deep)


@pytest.mark.parametrize(
    "data",
    [b"a " + b"." * 1_000_000 + b"b", b"# a" + b" " * 1_000_000 + b"b", b"# a" + b"#" * 1_000_000 + b"b"],
    ids=["stops", "spaces in a heading", "signs in a heading"],
)
def test_text_made_to_keep_an_expression_busy_is_cut_all_the_same(data: bytes) -> None:
    assert len(parsed("a.md", data, "sentences").pieces) == 1


def test_a_page_that_keeps_its_reader_busy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CPU_S", 1)
    assert "s to read; split it" in refused("a.html", b"<div>" * 300_000 + SECRET.encode())


def test_a_reader_that_does_nothing_for_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    text_of("a.html", b"<p>Hello.")
    os.kill(apart._idle[-1]._process.pid, signal.SIGSTOP)
    monkeypatch.setattr(limits, "WALL_S", 0.2)
    assert "s to read; split it" in refused("a.html", b"<p>Hello again.")


def test_a_reader_that_crashes_costs_its_document_only() -> None:
    text_of("a.html", b"<p>Hello.")
    process = apart._idle[-1]._process
    os.kill(process.pid, signal.SIGSTOP)
    os.kill(process.pid, signal.SIGSEGV)
    os.kill(process.pid, signal.SIGCONT)
    process.wait()
    assert text_of("a.html", b"<p>Hello again.") == "Hello again.\n\n"


def test_a_reader_that_needs_too_much_memory_is_told_so() -> None:
    apart.end_all()
    limits_before = limits.MEMORY_BYTES
    assert "MB of memory" in refused("a.html", b"<b><i>x" * (limits_before // 500))


def test_a_reader_is_kept_for_the_next_document_and_ends_when_nobody_asks() -> None:
    text_of("a.html", b"<p>Hello.")
    first = apart._idle[-1]._process
    text_of("a.html", b"<p>Hello.")
    assert apart._idle[-1]._process is first
    assert first.stdin is not None
    first.stdin.close()
    assert first.wait(timeout=60) == 0
    assert text_of("a.html", b"<p>Hello.") == "Hello.\n\n"


def test_a_library_that_is_not_there_is_named_by_its_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]
) -> None:
    (tmp_path / "selectolax.py").write_text("raise ModuleNotFoundError(name='selectolax')")  # type: ignore[operator]
    apart.end_all()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ExtraNeeded, match=r"reading an HTML page needs the extra 'documents': pip install"):
        text_of("a.html", b"<p>Hello.")
    apart.end_all()


def test_keys_of_the_platform_do_not_reach_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("KEY" in name or "OPSLOOP" in name for name in apart._ENVIRONMENT)
