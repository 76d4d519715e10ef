"""Documents on pages: upload, look through, ask, open at a quote, delete."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from opsloop.core.caller import Caller, Role
from opsloop.rag import service as rag
from opsloop.rag.collections import DEFAULT_CHUNKING
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser
from tests.integration.console.test_pages import stray_tags

LEAVE = b"# Leave\n\nEvery employee has 30 days of leave a year.\n\n# Travel\n\nHotels may cost 150 euros a night.\n"
NAME = "<img src=x onerror=alert(1)>&\"'.md"


@pytest.fixture
def shelf(platform: Platform) -> Platform:
    """A platform whose collection `handbook` holds one document."""
    with platform.workspace.writing(ADMIN) as uow:
        rag.upload(uow, "handbook", "leave.md", LEAVE, metadata={"team": "people"})
    return platform


@pytest.fixture
def client(shelf: Platform) -> Iterator[TestClient]:
    with browser(shelf.workspace) as found:
        yield found


def files(*named: tuple[str, bytes]) -> list[tuple[str, Any]]:
    return [("file", (name, data, "application/octet-stream")) for name, data in named]


def documents(platform: Platform) -> list[str]:
    with platform.workspace.reading(ADMIN) as uow:
        return sorted(each.filename for each in rag.list_documents(uow, "handbook"))


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def test_several_files_go_in_and_what_is_refused_keeps_none_out(client: TestClient, shelf: Platform) -> None:
    sent = files(("a.md", b"Alpha words."), ("b.bin", b"\0\1"), ("copy.md", LEAVE), ("empty.md", b""))
    answer = client.post("/documents/handbook", files=sent, data={"metadata": "team=law\n"})
    assert answer.status_code == 200
    assert answer.text.count("✓ taken in") == 1
    assert answer.text.count("○ there already") == 1
    assert answer.text.count("✕ refused") == 2
    assert "it is empty (0 bytes)" in answer.text
    assert documents(shelf) == ["a.md", "leave.md"]
    assert "team: law" in client.get("/documents/handbook").text


def test_a_script_hears_what_came_of_each_file(client: TestClient) -> None:
    answer = client.post(
        "/documents/handbook", files=files(("leave-2.md", LEAVE), ("b.md", b"")), headers={"accept": "application/json"}
    )
    known, refused = answer.json()["items"]
    assert known["duplicate"] is True
    assert client.get(known["address"]).status_code == 200
    assert refused["address"] == ""
    assert "b.md" in refused["refused"]


@pytest.mark.parametrize(
    ("data", "sent", "said"),
    [({}, files(("", b"")), "at least one file"), ({"metadata": "team"}, files(("a.md", b"A.")), "key=value")],
)
def test_a_form_that_says_nothing_is_refused_with_a_sentence(
    client: TestClient, data: dict[str, str], sent: list[tuple[str, Any]], said: str
) -> None:
    answer = client.post("/documents/handbook", files=sent, data=data)
    assert answer.status_code == 422
    assert said in answer.text


def test_a_collection_is_made_and_says_what_to_do_next(client: TestClient) -> None:
    made = client.post("/documents", data={"name": "policies", "chunking": "words-500"})
    assert (made.status_code, made.headers["location"]) == (303, "/documents/policies#upload")
    page = client.get("/documents/policies").text
    assert "This collection is empty" in page
    assert "words-500" in page
    chosen = {"name": "encoded", "chunking": "sentences", "embedder": "onnx:encoder"}
    assert client.post("/documents", data=chosen).status_code == 303
    assert "onnx:encoder, with the first document" in client.get("/documents/encoded").text
    assert client.post("/documents", data={**chosen, "embedder": "any"}).status_code == 422
    assert client.post("/documents", data={"name": "No Good", "chunking": "sentences"}).status_code == 422
    for found in ("answers", "passages"):
        assert "nothing to" in client.get(f"/documents/policies/{found}?question=leave").text


def test_the_page_tells_how_the_collection_is_searched(client: TestClient, shelf: Platform) -> None:
    with shelf.workspace.writing(ADMIN) as uow:
        rag.weigh(uow, "handbook", 0.25)
        stats = rag.stats(uow, "handbook")
    page = text_of(client.get("/documents/handbook").text)
    assert "25 %, set by hand" in page
    assert stats.embedder is not None
    assert stats.embedder in page
    assert "sentences" in page
    assert f"<option selected>{DEFAULT_CHUNKING}</option>" in client.get("/documents").text


def test_the_list_is_filtered_and_sorted_by_its_address(client: TestClient, shelf: Platform) -> None:
    client.post("/documents/handbook", files=files(("a.md", b"Alpha."), ("z.md", b"Zulu words here.")))
    shown = re.findall(r"<bdi>([^<]+)</bdi>", client.get("/documents/handbook?sort=name&dir=asc").text)
    assert shown == ["a.md", "leave.md", "z.md"]
    page = client.get("/documents/handbook?q=LEAVE").text
    assert re.findall(r"<bdi>([^<]+)</bdi>", page) == ["leave.md"]
    assert "Filtered: 1 document" in page
    assert "There are no documents here" in client.get("/documents/handbook?page=9").text
    assert client.get("/documents/handbook?sort=owner").status_code == 422


def test_an_answer_has_numbered_quotes_that_open_where_they_stand(client: TestClient) -> None:
    page = client.get("/documents/handbook/answers?question=How+many+days+of+leave+are+there%3F").text
    assert '<sup><a href="#quote-1"' in page
    quote = re.search(r'id="quote-1"><blockquote>([^<]+)</blockquote><p><a href="([^"]+)"', page)
    assert quote is not None
    source = client.get(html.unescape(quote[2])).text
    assert f'<mark id="cited">{quote[1]}</mark>' in source
    assert "chunk 1" in text_of(source)


def test_a_question_without_an_answer_is_not_guessed_at(client: TestClient) -> None:
    page = client.get("/documents/handbook/answers?question=Who+is+the+emperor+of+Larkhill%3F").text
    assert "The documents do not answer this question." in page
    assert "/passages?question=" in page


def test_passages_come_with_the_words_marked(client: TestClient) -> None:
    page = client.get("/documents/handbook/passages?question=hotel").text
    assert "<mark>Hotels</mark>" in page
    assert "No passage matches" in client.get("/documents/handbook/passages?question=qzxv").text


def test_a_span_outside_the_text_is_told(client: TestClient, shelf: Platform) -> None:
    with shelf.workspace.reading(ADMIN) as uow:
        document = rag.list_documents(uow, "handbook")[0].id
    page = client.get(f"/documents/handbook/{document}?start=99000&end=99010").text
    assert "are not in this document" in page
    assert "<mark" not in page


def test_a_text_is_shown_to_the_letter(client: TestClient, shelf: Platform) -> None:
    text = "\n\n  Begins with empty lines.\n\n\tAnd goes on.\n"
    with shelf.workspace.writing(ADMIN) as uow:
        document = rag.upload(uow, "handbook", "lines.txt", text.encode()).document_id
    page = client.get(f"/documents/handbook/{document}").text
    assert f'<pre class="document" tabindex="0">\n{text}</pre>' in page


def test_a_document_says_what_goes_and_goes(client: TestClient, shelf: Platform) -> None:
    with shelf.workspace.reading(ADMIN) as uow:
        document = rag.list_documents(uow, "handbook")[0].id
    asked = client.get(f"/documents/handbook/{document}/delete").text
    assert "its text of" in asked
    assert documents(shelf) == ["leave.md"]
    done = client.post(f"/documents/handbook/{document}/delete")
    assert (done.status_code, done.headers["location"]) == (303, "/documents/handbook?deleted=leave.md")
    assert documents(shelf) == []
    assert "Deleted: leave.md" in client.get(done.headers["location"]).text


def test_a_collection_that_grew_meanwhile_is_not_deleted(client: TestClient, shelf: Platform) -> None:
    asked = client.get("/documents/handbook/delete").text
    assert 'name="documents" value="1"' in asked
    client.post("/documents/handbook", files=files(("new.md", b"New words.")))
    refused = client.post("/documents/handbook/delete", data={"documents": "1"})
    assert refused.status_code == 409
    assert documents(shelf) == ["leave.md", "new.md"]
    assert client.post("/documents/handbook/delete", data={"documents": "2"}).status_code == 303
    assert client.get("/documents/handbook").status_code == 404


def test_a_viewer_reads_and_asks_and_changes_nothing(shelf: Platform) -> None:
    with shelf.workspace.reading(ADMIN) as uow:
        document = rag.list_documents(uow, "handbook")[0].id
    with browser(shelf.workspace, Caller("key:watcher", Role.VIEWER)) as client:
        page = client.get("/documents/handbook").text
        assert "data-upload" not in page
        assert "Delete" not in page
        assert client.get("/documents/handbook/answers?question=How+many+days+of+leave%3F").status_code == 200
        assert client.post("/documents/handbook", files=files(("a.md", b"A."))).status_code == 403
        for at in ("/documents/handbook", f"/documents/handbook/{document}"):
            assert client.get(f"{at}/delete").status_code == 403
            assert client.post(f"{at}/delete", data={"documents": "1"}).status_code == 403
        assert client.post("/documents", data={"name": "mine", "chunking": "sentences"}).status_code == 403
    assert documents(shelf) == ["leave.md"]


def test_hostile_names_texts_and_questions_are_inert(client: TestClient, shelf: Platform) -> None:
    text = f"# {HOSTILE}\n\nThe word is hostile: {HOSTILE} and so it goes on.\n"
    sent = client.post(
        "/documents/handbook",
        files=files((NAME, text.encode())),
        data={"metadata": "<script>=</td><script>alert(3)</script>"},
    )
    assert stray_tags(sent.text) == []
    with shelf.workspace.reading(ADMIN) as uow:
        hostile = next(each for each in rag.list_documents(uow, "handbook") if each.filename != "leave.md")
    at = f"/documents/handbook/{hostile.id}"
    for address in (
        "/documents/handbook",
        f"/documents/handbook?deleted={NAME.replace('&', '%26')}",
        "/documents/handbook?q=%22%3E%3Cscript%3E",
        "/documents/handbook/answers?question=hostile+word%3Cscript%3E",
        "/documents/handbook/passages?question=hostile+script+alert%22%3E%3Cimg+src%3Dx%3E",
        at,
        f"{at}?start=3&end=60",
        f"{at}?chunk=0",
        f"{at}/delete",
    ):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert stray_tags(answer.text) == [], address
    assert "<script>alert(1)</script>" in text_of(client.get(at).text)
