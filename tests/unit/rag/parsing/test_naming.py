"""Names of files that came over HTTP: their end says how they are read."""

from __future__ import annotations

import pytest

from opsloop.rag.parsing.naming import filename_of
from opsloop.rag.parsing.pieces import checked_filename

AT = "https://example.org"


@pytest.mark.parametrize(
    ("url", "media_type", "name"),
    [
        (f"{AT}/leave.md", "text/markdown", "leave.md"),
        (f"{AT}/leave.md", "text/plain", "leave.md"),
        (f"{AT}/rows.csv", "text/plain", "rows.csv"),
        (f"{AT}/rows.jsonl", "application/json", "rows.jsonl"),
        (f"{AT}/report.pdf", "application/octet-stream", "report.pdf"),
        (f"{AT}/report.pdf", "", "report.pdf"),
        (f"{AT}/report.pdf", "text/html", "report.pdf.html"),  # a page that asks to log in
        (f"{AT}/report.pdf", "text/plain", "report.pdf.txt"),
        (f"{AT}/download", "application/pdf", "download.pdf"),
        (f"{AT}/wiki/Paid%20leave", "text/html", "Paid leave.html"),
        (f"{AT}/", "text/html", "example.org.html"),
        (AT, "application/xhtml+xml", "example.org.html"),
        (f"{AT}/photo.png", "image/png", "photo.png"),
        (f"{AT}/a%2F..%2Fb.txt", "text/plain", "a_.._b.txt"),
        (f"{AT}/%0Ax.txt", "text/plain", "_x.txt"),
    ],
)
def test_the_kind_is_what_server_and_url_say(url: str, media_type: str, name: str) -> None:
    assert filename_of(url, media_type) == name
    assert checked_filename(name) == name


def test_the_servers_name_counts_before_the_url() -> None:
    assert filename_of(f"{AT}/get?id=7", "application/pdf", said="Leave 2026.pdf") == "Leave 2026.pdf"
    assert filename_of(f"{AT}/get", "text/plain", said="../../etc/passwd") == "_.._etc_passwd.txt"


def test_a_long_name_keeps_its_end() -> None:
    found = filename_of(f"{AT}/{'a' * 500}.pdf", "application/pdf")
    assert found.endswith("a.pdf")
    assert checked_filename(found) == found
