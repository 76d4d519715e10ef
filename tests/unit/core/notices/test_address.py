"""Addresses of notices: checked, shown without their secrets, looked up when they are used."""

from __future__ import annotations

import pytest

from opsloop.core.notices import address
from opsloop.core.notices.errors import AddressInvalid


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://hooks.slack.com/services/T0/B0/secret", "https://hooks.slack.com"),
        ("http://maria:pw@10.0.0.7:9000/x?token=1", "http://10.0.0.7:9000"),
        ("${env:SLACK_WEBHOOK}", "${env:SLACK_WEBHOOK}"),
    ],
)
def test_only_the_host_of_an_address_is_shown(url: str, wanted: str) -> None:
    address.check(url)
    assert address.shown(url) == wanted


@pytest.mark.parametrize("url", ["", "hooks/x", "ftp://x/y", "https://", "http://[", "http://h:99999/", "http://a b/"])
def test_what_nothing_can_be_sent_to_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(AddressInvalid, match=r"notify.url: wanted an http") as caught:
        address.check(url, field="notify.url")
    assert not url or f"{url!r}" not in caught.value.sentence


def test_a_reference_is_looked_up_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", " https://example.com/hook\n")
    assert address.resolved("url", "${env:HOOK}") == "https://example.com/hook"
    monkeypatch.delenv("HOOK")
    with pytest.raises(AddressInvalid, match="environment variable HOOK is not set"):
        address.resolved("url", "${env:HOOK}")


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("169.254.169.254", True), ("[::1]", True), ("fe80::1%eth0", True),
        ("::ffff:192.168.0.1", True), ("64:ff9b::a00:1", True), ("2002:a00:1::", True),
        ("100.64.0.1", True), ("224.0.0.1", True), ("8.8.8.8", False), ("2606:4700::1111", False),
        ("example.com", None),
    ],
)  # fmt: skip
def test_private_addresses_are_known(host: str, wanted: bool | None) -> None:
    assert address.is_private(host) is wanted
