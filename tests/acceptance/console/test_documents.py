"""A person puts documents in, asks, opens a citation where it stands, and deletes, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsloop.rag import service as rag
from tests.acceptance.console.conftest import Site, Visitor, visit
from tests.integration.console.conftest import ADMIN, HOSTILE

WAIT_MS = 15_000
TRAVEL = "# Travel\n\n" + "".join(f"Rule {number} of the travel desk is short.\n\n" for number in range(80))
HOTELS = "Hotels may cost 150 euros a night."


def shown(page: Any, text: str) -> None:
    page.get_by_text(text).first.wait_for(timeout=WAIT_MS)


def names(site: Site) -> list[str]:
    with site.platform.workspace.reading(ADMIN) as uow:
        return sorted(each.filename for each in rag.list_documents(uow, "handbook"))


def test_a_document_is_uploaded_asked_opened_at_its_citation_and_deleted(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "travel.md"
    file.write_text(f"{TRAVEL}# Hotels\n\n{HOTELS}\n")
    page = visitor.open("/documents")
    page.get_by_role("link", name="handbook", exact=True).click()
    page.wait_for_url(
        "**/documents/handbook", timeout=WAIT_MS
    )  # with its scripts: without them the form goes another way
    page.get_by_label("Choose files").set_input_files(file)
    page.get_by_role("button", name="Upload", exact=True).click()
    shown(page, "✓ taken in")
    shown(page, "Done: 1 kept, 0 refused")
    page.locator("table").get_by_role("link", name="travel.md", exact=True).wait_for(timeout=WAIT_MS)

    page.get_by_label("Ask the documents").fill("How much may hotels cost a night?")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("link", name="Quote 1").wait_for(timeout=WAIT_MS)
    page.locator("#quotes ~ ol a", has_text="travel.md").first.click()
    mark = page.locator("mark#cited")
    mark.wait_for(timeout=WAIT_MS)
    assert HOTELS in mark.inner_text()
    page.wait_for_function(
        "() => { const place = document.querySelector('#cited').getBoundingClientRect();"
        " return scrollY > 0 && place.top >= 0 && place.bottom <= innerHeight; }",
        timeout=WAIT_MS,
    )

    page.get_by_role("link", name="Delete the document …").click()
    shown(page, "This goes, from collection")
    page.get_by_role("button", name="Delete it").click()
    shown(page, "Deleted: travel.md")
    assert names(visitor.site) == ["leave.md"]


def test_each_of_several_files_tells_what_came_of_it(visitor: Visitor) -> None:
    page = visitor.open("/documents/handbook")
    hostile = f"{HOSTILE[:60].replace('/', '')}.md"
    sent = (
        ("good.md", b"Good words."),
        ("empty.md", b""),
        ("again.md", b"Good words."),
        (hostile, HOSTILE.encode()),
    )
    page.get_by_label("Choose files").set_input_files(
        [{"name": name, "mimeType": "text/markdown", "buffer": data} for name, data in sent]
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    shown(page, "Done: 3 kept, 1 refused")
    items = page.locator("[data-sending] li").all_inner_texts()
    assert [text.split(" ", 2)[1] for text in items] == ["taken", "refused", "there", "taken"]
    assert "it is empty (0 bytes)" in items[1]
    page.locator("table").get_by_role("link", name="good.md", exact=True).wait_for(timeout=WAIT_MS)
    assert page.locator("main img, main script").count() == 0
    as_sent = hostile.replace('"', "%22")  # browsers write it so in a form
    assert names(visitor.site) == sorted([as_sent, "good.md", "leave.md"])


def test_files_are_dropped_on_the_page(visitor: Visitor) -> None:
    page = visitor.open("/documents/handbook")
    dropped = page.evaluate_handle(
        "() => { const held = new DataTransfer();"
        " held.items.add(new File(['Dropped words.'], 'dropped.md', {type: 'text/markdown'})); return held; }"
    )
    page.dispatch_event("form[data-upload]", "drop", {"dataTransfer": dropped})
    shown(page, "Done: 1 kept, 0 refused")
    assert names(visitor.site) == ["dropped.md", "leave.md"]


def test_a_file_over_the_limit_is_refused_before_it_is_sent(visitor: Visitor) -> None:
    page = visitor.open("/documents/handbook")
    page.evaluate("document.querySelector('form[data-upload]').dataset.limit = '5'")
    page.get_by_label("Choose files").set_input_files(
        [{"name": "big.md", "mimeType": "text/markdown", "buffer": b"Many words."}]
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    shown(page, "big.md has 11 B, the limit is 5 B")
    shown(page, "Done: 0 kept, 1 refused")
    assert names(visitor.site) == ["leave.md"]


@pytest.mark.parametrize("width", [1280, 400])
def test_documents_work_without_scripts_on_every_screen(chromium: Any, site: Site, tmp_path: Path, width: int) -> None:
    file = tmp_path / ("long-name-" * 12 + ".md")
    file.write_text(f"# Hotels\n\n{HOTELS}\n{'x' * 500}\n")
    visitor = visit(chromium, site, java_script_enabled=False, viewport={"width": width, "height": 900})
    page = visitor.open("/documents/handbook")
    page.get_by_label("Choose files").set_input_files(file)
    page.get_by_role("button", name="Upload", exact=True).click()
    shown(page, "✓ taken in")
    page.get_by_role("link", name="To the collection").click()
    page.get_by_label("Ask the documents").fill("cost of hotels")
    page.get_by_role("button", name="Find passages").click()
    page.locator("mark", has_text="Hotels").first.wait_for(timeout=WAIT_MS)
    with site.platform.workspace.reading(ADMIN) as uow:
        document = next(each.id for each in rag.list_documents(uow, "handbook") if each.filename == file.name)
    for path in ("", "/answers?question=hotels", "/passages?question=hotels", f"/{document}?start=2&end=9", "/delete"):
        page.goto(f"{site.url}/documents/handbook{path}")
        is_wide = page.locator("html").evaluate("page => page.scrollWidth > page.clientWidth")
        assert not is_wide, path
    visitor.context.close()
    assert visitor.faults == []
