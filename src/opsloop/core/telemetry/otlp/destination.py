"""Where a signal goes, and how: its address, headers, patience and certificates."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import unquote

from opsloop.core.errors import InvalidInput
from opsloop.core.telemetry.otlp.settings import OtlpSettings, Signal


@dataclass(frozen=True, slots=True)
class Destination:
    """Headers may hold a key. `tls` is None where the certificates that everybody trusts will do."""

    signal: Signal
    url: str
    headers: dict[str, str]
    timeout_s: float
    tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"Destination({self.signal.value!r})"


def destination(settings: OtlpSettings, signal: Signal) -> Destination | None:
    """None where nothing is named for the signal. Raises: InvalidInput for a certificate that cannot be used."""
    if settings.otlp_disabled:
        return None
    own: str | None = getattr(settings, f"otlp_{signal.value}_endpoint")
    base = settings.otlp_endpoint
    url = own or (f"{base.rstrip('/')}/v1/{signal.value}" if base else None)
    if not url:
        return None
    headers = _headers(settings.of(signal, "headers"))
    tls = _tls(settings, signal) if url.lower().startswith("https:") else None
    return Destination(signal, url, headers, settings.of(signal, "timeout_ms") / 1000, tls)


def _headers(given: str | None) -> dict[str, str]:
    """`name=value,name=value`; values may be percent-encoded, as in a W3C baggage header."""
    pairs = (each.partition("=") for each in (given or "").split(",") if "=" in each)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}


def _tls(settings: OtlpSettings, signal: Signal) -> ssl.SSLContext | None:
    trusted: str | None = settings.of(signal, "certificate")
    shown: str | None = settings.of(signal, "client_certificate")
    key: str | None = settings.of(signal, "client_key")
    if key and not shown:
        wanted = "the file of the certificate that belongs to otlp_client_key"
        raise InvalidInput(field="setting otlp_client_certificate", value=None, wanted=wanted)
    if not trusted and not shown:
        return None
    try:
        context = ssl.create_default_context(cafile=trusted or None)
    except OSError as error:  # an ssl.SSLError is one
        raise _unusable("otlp_certificate", trusted, "a PEM file of certificates", error) from None
    if shown:
        try:
            # No password is asked for: this process may have no terminal.
            context.load_cert_chain(shown, key or None, password=lambda: "")
        except (OSError, ValueError) as error:
            wanted = "a PEM file of a certificate, with its private key in otlp_client_key"
            raise _unusable("otlp_client_certificate", shown, wanted, error) from None
    return context


def _unusable(name: str, file: str | None, wanted: str, error: Exception) -> InvalidInput:
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__
    return InvalidInput(field=f"setting {name}", value=file, wanted=f"{wanted} ({reason})")
