"""Files of every kind through `POST /upload`: read and found, or refused with a sentence that tells nothing of them."""

from __future__ import annotations

import base64
import random

import pytest
from fastapi.testclient import TestClient

from opsloop.rag.parsing.kinds import KINDS
from tests.unit.rag.parsing import files

FACT = "The kettle has a warranty of 24 months."
FILES = {
    "a.txt": FACT.encode(),
    "a.md": f"# Kettle\n\n{FACT}".encode(),
    "a.html": f"<h1>Kettle</h1><p>{FACT}</p>".encode(),
    "a.pdf": files.pdf(["Contents", FACT]),
    "a.pptx": files.pptx([("Kettle", FACT, "")]),
    "a.xlsx": files.xlsx({"Kettle": [["Product", "Says"], ["Kettle", FACT]]}),
    "a.csv": f"Product,Says\nKettle,{FACT}\n".encode(),
    "a.json": f'{{"says": "{FACT}"}}'.encode(),
    "a.jsonl": f'{{"says": "{FACT}"}}\n'.encode(),
    "a.eml": f"Subject: Kettle\n\n{FACT}\n".encode(),
    "a.docx": files.with_part(
        files.docx(),
        "word/document.xml",
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
        f"<w:t>{FACT}</w:t></w:r></w:p></w:body></w:document>".encode(),
    ),
}


def uploaded(http: TestClient, name: str, data: bytes) -> tuple[int, str]:
    reply = http.post("/upload", json={"filename": name, "content_base64": base64.b64encode(data).decode()})
    return reply.status_code, reply.json().get("detail", "")


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_says_is_found_and_cited_exactly(http: TestClient, name: str) -> None:
    document = http.post("/upload", files={"file": (name, FILES[name])}).json()["document_id"]
    found = http.post("/api/collections/default/search", json={"question": "warranty of the kettle"}).json()["items"]
    text = http.get(f"/api/collections/default/documents/{document}/text").json()["text"]
    assert FACT in found[0]["text"]
    assert text[found[0]["start"] : found[0]["end"]] == found[0]["text"]


@pytest.mark.parametrize("name", ["a.pdf", "a.txt"])
def test_a_citation_names_the_page_of_a_document_that_has_pages(http: TestClient, name: str) -> None:
    http.post("/upload", files={"file": (name, FILES[name])})
    asked = {"question": "How long is the warranty of the kettle?"}
    citations = http.post("/query", json=asked).json()["citations"]
    assert [each["page"] for each in citations] == [2 if name == "a.pdf" else None]


@pytest.mark.parametrize("suffix", sorted(KINDS))
@pytest.mark.parametrize("data", [b"", random.Random(3).randbytes(3_000)], ids=["empty", "noise"])
def test_a_file_of_nothing_or_noise_is_a_4xx_that_names_it(http: TestClient, suffix: str, data: bytes) -> None:
    status, sentence = uploaded(http, f"report{suffix}", data)
    assert status == 422
    assert sentence.startswith(f"report{suffix}: ")


def test_the_same_file_under_another_name_is_a_duplicate(http: TestClient) -> None:
    first, again = (http.post("/upload", files={"file": (name, FILES["a.pdf"])}).json() for name in ("a.pdf", "b.pdf"))
    assert again == {**first, "duplicate": True}


@pytest.mark.parametrize("name", ["../a.pdf", "/etc/passwd", "..\\a.docx"])
def test_a_path_in_the_name_is_refused(http: TestClient, name: str) -> None:
    assert uploaded(http, name, FILES["a.pdf"])[0] == 422


def test_a_file_over_the_limit_is_a_413_with_the_setting_to_raise(http: TestClient) -> None:
    status, sentence = uploaded(http, "a.pdf", b"%PDF-" + bytes(100_000_000))
    assert status == 413
    assert sentence.startswith("a.pdf has 100000005 bytes, the limit is 10000000; split it, or raise OPSLOOP_RAG_")


def test_nothing_of_a_document_gets_into_logs_or_sentences(
    http: TestClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "Swordfish"
    files_with_it = {
        "a.json": f'{{"{secret}": {secret}'.encode(),
        "a.csv": f'a,b\n1,"{secret * 50_000}'.encode(),
        "a.html": f"<p>{secret}\x01".encode(),
        "a.eml": f"{secret}\n".encode(),
        "a.pdf": f"%PDF-1.7 {secret}".encode(),
        "a.docx": files.with_part(files.docx(), "word/document.xml", f"<w:{secret}".encode()),
        "a.xlsx": files.with_part(FILES["a.xlsx"], "xl/worksheets/sheet1.xml", f"<{secret}".encode()),
    }
    for name, data in files_with_it.items():
        status, sentence = uploaded(http, name, data)
        assert (status, secret in sentence) == (422, False), name
    said = capfd.readouterr()
    assert secret not in caplog.text + said.out + said.err
