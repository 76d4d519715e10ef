"""A short name for what a line says, the same in every process and version."""

from __future__ import annotations

from hashlib import blake2b

from opsloop.incidents.logs.masking import masked


def fingerprint(text: str) -> str:
    """16 hexadecimal digits of a line's masked text; runs of white space count as one space."""
    return fingerprint_of_masked(masked(text))


def fingerprint_of_masked(template: str) -> str:
    return blake2b(" ".join(template.split()).encode("utf-8", "replace"), digest_size=8).hexdigest()
