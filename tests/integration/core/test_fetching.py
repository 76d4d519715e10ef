"""Nothing inside is reached through a URL, whatever names, redirects and servers say."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import socket
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from opsloop.core.fetching.errors import FetchedTooLarge, NotFetched, UrlNotAllowed
from opsloop.core.fetching.fetch import fetch
from opsloop.core.fetching.rules import Rules, hosts
from tests.integration.core.hostile_web import PUBLIC, Web, head_of, replying, server

RULES = Rules(limit_bytes=1_000, timeout_s=10)
OK = "HTTP/1.1 200 OK"


def to(location: str) -> tuple[str, str, str]:
    return ("HTTP/1.1 302 Found", f"Location: {location}", "Content-Length: 0")


def test_the_bytes_come_from_the_address_that_was_checked() -> None:
    heard: list[str] = []
    lines = (OK, "Content-Type: Text/Plain; charset=utf-8", "Content-Disposition: attachment; filename=leave.txt")
    with server(replying(*lines, body=b"25 days", heard=heard)) as port:
        web = Web({"example.org": [[PUBLIC]]}, port)
        found = fetch("http://example.org/get?key=secret", RULES, network=web.network)

    assert (found.data, found.media_type, found.filename) == (b"25 days", "text/plain", "leave.txt")
    assert found.url == "http://example.org/get"
    assert web.connected == [(PUBLIC, 80)]
    assert heard[0].startswith("GET /get?key=secret HTTP/1.1\r\nHost: example.org\r\n")
    assert "cookie" not in heard[0].lower()
    assert "authorization" not in heard[0].lower()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.7", "64:ff9b::a"],
)
def test_a_name_that_leads_inside_is_not_connected_to(address: str) -> None:
    web = Web({"rebound.example": [[address]]}, 1)
    with pytest.raises(UrlNotAllowed, match="wanted an address of the public web"):
        fetch("http://rebound.example/", RULES, network=web.network)
    assert web.connected == []


def test_a_name_with_one_address_inside_among_others_is_not_connected_to() -> None:
    web = Web({"both.example": [[PUBLIC, "10.0.0.7"]]}, 1)
    with pytest.raises(UrlNotAllowed):
        fetch("http://both.example/", RULES, network=web.network)
    assert web.connected == []


def test_a_name_that_answers_otherwise_the_second_time_gains_nothing() -> None:
    with server(replying(OK, body=b"public")) as port:
        web = Web({"rebound.example": [[PUBLIC], ["127.0.0.1"]]}, port)
        found = fetch("http://rebound.example/", RULES, network=web.network)

    assert found.data == b"public"
    assert web.asked == ["rebound.example"]
    assert web.connected == [(PUBLIC, 80)]


def test_each_redirect_is_looked_up_and_checked_anew() -> None:
    with server(replying(*to("/again"))) as port:
        web = Web({"rebound.example": [[PUBLIC], ["127.0.0.1"]]}, port)
        with pytest.raises(UrlNotAllowed, match="wanted an address of the public web"):
            fetch("http://rebound.example/", RULES, network=web.network)

    assert web.asked == ["rebound.example"] * 2
    assert web.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost/",
        "//127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "http://example.org:6379/",
        "http://user:pw@example.org/",
        "http://example.org\\@127.0.0.1/",
    ],
)
def test_a_redirect_does_not_lead_inside(location: str) -> None:
    inside = {name: [["127.0.0.1"]] for name in ("2130706433", "0x7f.1", "localhost")}
    literal = {name: [[name]] for name in ("169.254.169.254", "::ffff:127.0.0.1", "127.0.0.1")}
    with server(replying(*to(location))) as port:
        web = Web({"example.org": [[PUBLIC]], **inside, **literal}, port)
        with pytest.raises(UrlNotAllowed):
            fetch("http://example.org/", RULES, network=web.network)
    assert web.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "[::1]", "0"])
def test_this_machine_is_not_reached_by_another_way_to_write_it(host: str) -> None:
    with pytest.raises((UrlNotAllowed, NotFetched), match=r"public web|has no address"):
        fetch(f"http://{host}/", RULES)


def test_only_named_hosts_are_asked_after_a_redirect_too() -> None:
    rules = Rules(limit_bytes=1_000, timeout_s=10, hosts=hosts("example.org", field="x"))
    with server(replying(*to("http://other.example/"))) as port:
        web = Web({"example.org": [[PUBLIC]], "other.example": [[PUBLIC]]}, port)
        with pytest.raises(UrlNotAllowed, match="a host and port that is allowed"):
            fetch("http://example.org/", rules, network=web.network)
    assert web.asked == ["example.org"]


def test_a_private_network_that_is_allowed_is_reached_and_metadata_is_not() -> None:
    rules = Rules(limit_bytes=1_000, timeout_s=10, is_public_only=False, any_port=True)
    with server(replying(OK, body=b"intranet")) as port:
        web = Web({"wiki": [["10.0.0.7"]], "meta": [["169.254.169.254"]], "nat": [["64:ff9b::a9fe:a9fe"]]}, port)
        assert fetch("http://wiki:8090/", rules, network=web.network).data == b"intranet"
        for host in ("meta", "nat"):
            with pytest.raises(UrlNotAllowed):
                fetch(f"http://{host}/", rules, network=web.network)
    assert web.connected == [("10.0.0.7", 8090)]


def test_redirects_end() -> None:
    with server(replying(*to("/again"))) as port:
        web = Web({"example.org": [[PUBLIC]]}, port)
        with pytest.raises(NotFetched, match="it is redirected over and over"):
            fetch("http://example.org/", RULES, network=web.network)
    assert len(web.connected) == 5


@pytest.mark.parametrize(
    ("lines", "body", "sentence"),
    [
        ((OK, "Content-Length: 99999999999"), b"", "has more than 1000 bytes"),
        ((OK,), b"x" * 5_000, "has more than 1000 bytes"),
        ((OK, "Transfer-Encoding: chunked"), b"7d0\r\n" + b"x" * 2_000 + b"\r\n0\r\n\r\n", "has more than 1000 bytes"),
        ((OK, "Content-Encoding: gzip"), gzip.compress(bytes(50_000_000), mtime=0), "has more than 1000 bytes"),
        ((OK, "Content-Encoding: gzip"), gzip.compress(b"text" * 9, mtime=0)[:-9], "the connection broke off"),
        ((OK, "Content-Encoding: gzip"), b"no gzip", "the connection broke off"),
        ((OK, "Content-Encoding: br"), b"x", "compressed in a way that was not asked for"),
        ((OK, "Content-Length: 50"), b"half of it", "the connection broke off"),
        ((OK, "Transfer-Encoding: chunked"), b"ff\r\nhalf", "the connection broke off"),
        (("HTTP/1.1 404 <b>secret</b>",), b"", "it answers 404$"),
        (("HTTP/1.1 206 Partial",), b"part", "it answers 206$"),
        (("SSH-2.0-OpenSSH_9.6",), b"", "the connection broke off"),
        ((OK, *("X: y" for _ in range(500))), b"", "the connection broke off"),
        ((OK, "X: " + "y" * 100_000), b"", "the connection broke off"),
    ],
)
def test_what_a_server_sends_is_bounded_and_whole(lines: tuple[str, ...], body: bytes, sentence: str) -> None:
    with server(replying(*lines, body=body)) as port:
        web = Web({"example.org": [[PUBLIC]]}, port)
        with pytest.raises((NotFetched, FetchedTooLarge), match=sentence) as caught:
            fetch("http://example.org/x?key=hidden", RULES, network=web.network)
    assert "hidden" not in caught.value.sentence


def test_what_is_packed_and_what_comes_in_chunks_is_read() -> None:
    packed = gzip.compress(b"25 days", mtime=0)
    for lines, body in [
        ((OK, "Content-Encoding: gzip", f"Content-Length: {len(packed)}"), packed),
        ((OK, "Transfer-Encoding: chunked"), b"3\r\n25 \r\n4\r\ndays\r\n0\r\n\r\n"),
    ]:
        with server(replying(*lines, body=body)) as port:
            web = Web({"example.org": [[PUBLIC]]}, port)
            assert fetch("http://example.org/", RULES, network=web.network).data == b"25 days"


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_sends_a_byte_now_and_then_is_left(start: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(start)
        for _ in range(600):
            connection.sendall(b"x")
            time.sleep(0.05)

    began_s = time.monotonic()
    with server(drip) as port:
        web = Web({"example.org": [[PUBLIC]]}, port)
        with pytest.raises(NotFetched, match=r"it takes more than 0\.5 s"):
            fetch("http://example.org/", Rules(limit_bytes=1_000, timeout_s=0.5), network=web.network)
        assert time.monotonic() - began_s < 20  # of the half minute that it goes on


def test_a_server_that_does_not_end_its_handshake_is_left() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(4_096):
            pass

    with server(silent) as port:
        web = Web({"example.org": [[PUBLIC]]}, port)
        with pytest.raises(NotFetched, match=r"it takes more than 0\.5 s"):
            fetch("https://example.org/", Rules(limit_bytes=1_000, timeout_s=0.5), network=web.network)


def test_the_second_address_is_tried_when_nobody_listens_at_the_first() -> None:
    with server(replying(OK, body=b"25 days")) as port:
        web = Web({"example.org": [["8.8.4.4", PUBLIC]]}, port)
        connect = web.network.connect

        def refusing(address: str, at: int, timeout_s: float) -> socket.socket:
            if address == "8.8.4.4":
                raise ConnectionRefusedError
            return connect(address, at, timeout_s)

        network = type(web.network)(web.network.addresses, refusing)
        assert fetch("http://example.org/", RULES, network=network).data == b"25 days"


def test_a_name_without_an_address_is_told() -> None:
    with pytest.raises(NotFetched, match=r"nowhere\.example has no address"):
        fetch("http://nowhere.example/", RULES, network=Web({}, 1).network)


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """One that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return pem, private


def test_https_asks_for_the_names_certificate_at_the_checked_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem, private = certificate(tmp_path, "example.org")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    again = to("http://example.org/plain")

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            is_leaving = "/leave" in head_of(secured)
            replying_lines = again if is_leaving else (OK, "Content-Length: 7")
            secured.sendall("\r\n".join([*replying_lines, "", ""]).encode() + (b"" if is_leaving else b"25 days"))

    with server(answer) as port:
        web = Web({name: [[PUBLIC]] for name in ("example.org", "other.example")}, port)
        with pytest.raises(NotFetched, match="its certificate is not trusted"):
            fetch("https://example.org/", RULES, network=web.network)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert fetch("https://example.org/", RULES, network=web.network).data == b"25 days"
        assert web.connected[-1] == (PUBLIC, 443)
        with pytest.raises(NotFetched, match="its certificate is not trusted"):
            fetch("https://other.example/", RULES, network=web.network)
        with pytest.raises(UrlNotAllowed, match="does not lead from https:// to http://"):
            fetch("https://example.org/leave", RULES, network=web.network)
    assert ipaddress.ip_address(PUBLIC).is_global
