"""Addresses of Bitcoin whose checksum is right, in both forms, and of Ethereum."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.holding import long_word
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_OLD = re.compile(r"[13](?<![\w].)[1-9A-HJ-NP-Za-km-z]{24,33}(?!\w)", re.DOTALL)
_NEW = re.compile(r"(?<!\w)bc1[ac-hj-np-z02-9]{11,71}(?!\w)|(?<!\w)BC1[AC-HJ-NP-Z02-9]{11,71}(?!\w)")
_ETHEREUM = re.compile(r"(?<!\w)0x[0-9a-fA-F]{40}(?!\w)")
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


@detector("crypto_wallet", may_hold=long_word(25), needs_digits=True)
def crypto_wallet(text: str, before: WordsBefore) -> Iterator[Finding]:
    for pattern, is_right, confidence in ((_OLD, base58check, 0.97), (_NEW, bech32, 0.97), (_ETHEREUM, bool, 0.8)):
        for written in pattern.finditer(text):
            if is_right(written[0]):
                yield Finding("crypto_wallet", written.start(), written.end(), confidence)


def base58check(address: str) -> bool:
    """Source: the Bitcoin wiki, Base58Check encoding: the last 4 bytes are those of the rest's double SHA-256."""
    number = 0
    for char in address:
        number = number * 58 + _BASE58.index(char)
    if number.bit_length() > 200:
        return False
    whole = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(whole[:21]).digest()).digest()[:4] == whole[21:]


def bech32(address: str) -> bool:
    """Source: BIP 173 and BIP 350 (Bech32m)."""
    human, _, data = address.lower().rpartition("1")
    values = [ord(char) >> 5 for char in human] + [0] + [ord(char) & 31 for char in human]
    check = 1
    for value in values + [_BECH32.index(char) for char in data]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for at in range(5):
            check ^= _GENERATOR[at] if top >> at & 1 else 0
    return check in (1, 0x2BC830A3)
