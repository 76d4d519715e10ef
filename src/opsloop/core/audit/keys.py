"""The installation's signing key: an Ed25519 key in the data folder, readable by its owner alone."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from opsloop.core.errors import Failed, InvalidInput

PRIVATE = Path("keys") / "audit.pem"
PUBLIC = Path("keys") / "audit.pub.pem"
_making = threading.Lock()


class SigningKeyUnreadable(Failed):
    template = "the audit signing key {path} cannot be read: {reason}; restore it from a backup"


def private_key(data_dir: Path) -> Ed25519PrivateKey:
    """The signing key, made on first use together with its public half."""
    path = data_dir / PRIVATE
    with _making:
        if not path.exists():
            _make(data_dir)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise SigningKeyUnreadable(path=path, reason=error) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyUnreadable(path=path, reason="it is not an Ed25519 key")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """A public key from a PEM file."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} is not a public key in PEM form: {error}", field="key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInput(field="key", value=str(path), wanted="an Ed25519 public key in PEM form")
    return key


def _make(data_dir: Path) -> None:
    key = Ed25519PrivateKey.generate()
    (data_dir / PRIVATE).parent.mkdir(parents=True, exist_ok=True)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (data_dir / PUBLIC).write_bytes(public)
    part = data_dir / PRIVATE.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(private)
        file.flush()
        os.fsync(file.fileno())
    part.replace(data_dir / PRIVATE)
