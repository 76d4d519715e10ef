"""The installation's signing key: an Ed25519 key in the data folder, readable by its owner alone."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
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
# For people to copy; the platform itself takes the public half from the private key.
PUBLIC = Path("keys") / "audit.pub.pem"
_making = threading.Lock()


class SigningKeyUnreadable(Failed):
    template = "the audit signing key {path} cannot be read: {reason}; restore it from a backup"


class SigningKeyGone(Failed):
    template = (
        "the audit signing key {path} is gone and its public half {public} is not: restore the key from a backup, "
        "or move the public half away to go on with a new key, which does not verify what was recorded before"
    )


def private_key(data_dir: Path) -> Ed25519PrivateKey:
    """The signing key, made on first use. Raises: SigningKeyUnreadable, SigningKeyGone."""
    path = data_dir / PRIVATE
    try:
        with _making:
            if not path.exists():
                _make(data_dir)
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise SigningKeyUnreadable(path=path, reason=error.strerror) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyUnreadable(path=path, reason="it is not a private key in PEM form") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyUnreadable(path=path, reason="it is not an Ed25519 key")
    if not (data_dir / PUBLIC).exists():
        with suppress(OSError):  # it is for people only, and can be made at the next start
            _write(data_dir / PUBLIC, _pem(key.public_key()), mode=0o644)
    return key


def own_public_key(data_dir: Path) -> Ed25519PublicKey:
    """The key that checks this installation's trail. Raises: SigningKeyUnreadable, SigningKeyGone."""
    return private_key(data_dir).public_key()


def own_public_pem(data_dir: Path) -> str:
    """The same in PEM form."""
    return _pem(own_public_key(data_dir)).decode()


def public_key(path: Path) -> Ed25519PublicKey:
    """A public key from a PEM file."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"key: {path} cannot be read ({error.strerror})", field="key") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidInput(field="key", value=str(path), wanted="a file with a public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInput(field="key", value=str(path), wanted="an Ed25519 public key in PEM form")
    return key


def _make(data_dir: Path) -> None:
    if (data_dir / PUBLIC).exists():
        raise SigningKeyGone(path=data_dir / PRIVATE, public=data_dir / PUBLIC)
    (data_dir / PRIVATE).parent.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    _write(data_dir / PRIVATE, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)


def _pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Whole or not at all."""
    part = path.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
