"""What comes of reading documents, wherever they are read: in this process or on Ray."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from opsloop.core.compute.settings import ComputeSettings
from opsloop.rag.ingests.readers import Here, Readers, Refusal, Unread, read

WITHOUT_RAY = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'opsloop[ray]'"
)
PAGE = "<html><body><h1>Leave {0}</h1><p>Employees get {0} days of leave.</p></body></html>"


@pytest.fixture(scope="module", params=["here", pytest.param("ray", marks=WITHOUT_RAY)])
def readers(request: pytest.FixtureRequest) -> Iterator[Readers]:
    if request.param == "here":
        yield Here()
        return
    from opsloop.rag.ingests.on_ray import on_ray

    with on_ray(ComputeSettings(ray_workers=2)) as workers:
        yield workers


def test_documents_are_read_as_they_are_here_in_their_order(readers: Readers) -> None:
    pages = [Unread(f"{number}.html", PAGE.format(number).encode(), "sentences") for number in range(12)]
    texts = [
        Unread(f"{number}.md", f"# Care\n\nPart {number} is covered.".encode(), "words-500") for number in range(12)
    ]
    unread = [each for pair in zip(pages, texts, strict=True) for each in pair]
    assert readers.read_all(unread) == [read(each) for each in unread]


def test_what_cannot_be_read_is_refused_with_the_same_sentence(readers: Readers) -> None:
    unread = [
        Unread("empty.txt", b"", "sentences"),
        Unread("broken.txt", b"\xff\xfe\x00", "sentences"),
        Unread("broken.pdf", b"%PDF-1.7 nothing", "sentences"),
        Unread("photo.png", b"\x89PNG", "sentences"),
        Unread("fine.txt", b"Dental care is covered.", "sentences"),
    ]
    found = readers.read_all(unread)
    assert [isinstance(each, Refusal) for each in found] == [True, True, True, True, False]
    assert found == [read(each) for each in unread]


def test_nothing_is_read_of_nothing(readers: Readers) -> None:
    assert readers.read_all([]) == []
