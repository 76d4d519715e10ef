"""What a URL may be, before anything is looked up."""

from __future__ import annotations

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.core.fetching.errors import UrlNotAllowed
from opsloop.core.fetching.rules import Rules, hosts, place_of, shown

PUBLIC = Rules(limit_bytes=100, timeout_s=1)
NAMED = Rules(
    limit_bytes=100, timeout_s=1, hosts=hosts("docs.example.org, *.wiki.org, intra:8090, [::1]:81", field="x")
)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "leave.md",
        "/etc/passwd",
        "//example.org/x",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "gopher://example.org/x",
        "data:text/plain,x",
        "http://",
        "http:///x",
        "http://example.org:99999/",
        "http://example.org:0/",
        "http://example.org:x/",
        "http://user:secret@example.org/",
        "http://example.org@10.0.0.1/",
        "http://example.org\\@10.0.0.1/",
        "http://exa mple.org/",
        "http://example.org/\r\nHost: inside",
        "http://example.org/\tx",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://exa\u2100mple.org/",
        "http://" + "a" * 64 + ".org/",
        "http://example.org/" + "a" * 2_000,
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(UrlNotAllowed, match=r"^url: is .*wanted ") as caught:
        place_of(url, PUBLIC)
    assert "secret" not in caught.value.sentence


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 2375])
def test_other_ports_than_those_of_the_web_are_refused(port: int) -> None:
    with pytest.raises(UrlNotAllowed, match="wanted a URL with port 80 or 443"):
        place_of(f"http://example.org:{port}/", PUBLIC)


def test_a_request_says_path_and_query_as_a_server_can_read_them() -> None:
    place = place_of("https://Bücher.example/Über uns.html?q=ä b#top".replace(" ", "%20"), PUBLIC)
    assert (place.host, place.port, place.host_header) == ("xn--bcher-kva.example", 443, "xn--bcher-kva.example")
    assert place.target == "/%C3%9Cber%20uns.html?q=%C3%A4%20b"
    assert place_of("http://example.org:443", PUBLIC).host_header == "example.org:443"
    assert place_of("http://[2606:2800::1]/", PUBLIC).host_header == "[2606:2800::1]"


def test_what_may_be_a_key_is_not_shown() -> None:
    assert shown("https://user:pass@example.org:8443/a.pdf?sig=key#part") == "https://example.org:8443/a.pdf"
    assert shown("user:pass@example.org") == "user:example.org"
    assert shown("file:///etc/passwd?x") == "file:///etc/passwd"
    assert shown("http://[::1") == ""
    assert shown("http://example.org/\ud800\0") == "http://example.org/" + 2 * "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "url",
    [
        "https://docs.example.org/a",
        "http://DOCS.example.org./a",
        "https://deep.in.wiki.org/",
        "http://intra:8090/",
        "http://[::1]:81/",
    ],
)
def test_hosts_that_are_named_are_allowed(url: str) -> None:
    assert place_of(url, NAMED).host


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "https://evil-docs.example.org/",
        "https://docs.example.org.evil.net/",
        "https://docs.example.org:8443/",
        "https://wiki.org/",
        "https://evilwiki.org/",
        "http://intra/",
        "http://intra:8091/",
        "http://[::1]/",
    ],
)
def test_other_hosts_and_ports_are_refused(url: str) -> None:
    with pytest.raises(UrlNotAllowed, match="wanted a URL of a host and port that is allowed"):
        place_of(url, NAMED)


@pytest.mark.parametrize("text", ["http://example.org", "example.org/x", "a b", "example.org:0", "x:70000", "*"])
def test_what_is_no_host_is_refused_by_the_setting(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^setting rag_url_hosts: is .*wanted hosts with commas between them"):
        hosts(f"docs.example.org,{text}", field="setting rag_url_hosts")
