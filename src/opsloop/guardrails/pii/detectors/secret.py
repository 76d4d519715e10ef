"""Keys of services, private keys and tokens, by the marks their issuers gave them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.holding import long_word
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_START = r"(?<![A-Za-z0-9_-])"
_FORMS = (
    r"(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])",  # AWS access keys
    r"gh[pousr]_[A-Za-z0-9]{36,255}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{22,255}",
    r"glpat-[A-Za-z0-9_-]{20,64}",  # GitLab
    r"xox[abeoprs]-[A-Za-z0-9-]{10,250}",  # Slack
    r"sk-(?:[a-z]{2,8}-){0,2}[A-Za-z0-9_-]{20,200}",  # OpenAI and those that took over its form
    r"[sr]k_live_[A-Za-z0-9]{16,250}",  # Stripe
    r"AIza[A-Za-z0-9_-]{35}",  # Google
    r"GOCSPX-[A-Za-z0-9_-]{28}",
    r"ya29\.[A-Za-z0-9_-]{30,400}",
    r"hf_[A-Za-z0-9]{30,60}",  # Hugging Face
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-AgE[A-Za-z0-9_-]{50,400}",
    r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",  # SendGrid
    r"dop_v1_[a-f0-9]{64}",  # DigitalOcean
    r"dapi[a-f0-9]{32}",  # Databricks
    r"hv[sb]\.[A-Za-z0-9_-]{24,300}",  # HashiCorp Vault
    r"gl(?:sa|c)_[A-Za-z0-9_+/=-]{32,200}",  # Grafana
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",  # Shopify
    r"lin_api_[A-Za-z0-9]{40}",  # Linear
    r"AGE-SECRET-KEY-1[A-Z0-9]{58}",
    r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",  # Telegram bots
    r"eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{8,2000}",  # JSON web tokens
)
_KEYS = re.compile(_START + "(?:" + "|".join(_FORMS) + ")")
# The shortest is one of Slack's.
_has_long_word = long_word(15)
# Where the value is known by what stands before it: a webhook's path is its key.
_KNOWN_BY_PLACE = re.compile(
    r"(?:https://hooks\.slack\.com/(?:services|workflows)/|(?:AccountKey|SharedAccessKey)=)(?P<key>[A-Za-z0-9/+_=-]{20,200})"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----(?:END [A-Z0-9 ]{0,40}-----|(?P<another>BEGIN ))")
# AWS gives the secret half no mark: 40 characters after a word that names it.
_AWS_SECRET = re.compile(
    r"(?:aws|secret)_?(?:secret)?_?(?:access)?_?key[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?"
    r"(?P<key>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    re.IGNORECASE,
)
KEY_LIMIT = 20_000


@detector("secret", may_hold=lambda text: _has_long_word(text) or "-----BEGIN" in text)
def secret(text: str, before: WordsBefore) -> Iterator[Finding]:
    for key in _KEYS.finditer(text):
        yield Finding("secret", key.start(), key.end(), 0.97)
    for key in _KNOWN_BY_PLACE.finditer(text):
        yield Finding("secret", key.start("key"), key.end("key"), 0.97)
    for key in _AWS_SECRET.finditer(text):
        yield Finding("secret", key.start("key"), key.end("key"), 0.9)
    at = 0
    while (key_start := _PRIVATE_KEY.search(text, at)) is not None:
        key_end = _KEY_END.search(text, key_start.end(), key_start.end() + KEY_LIMIT)
        is_whole = key_end is not None and key_end["another"] is None
        at = key_end.end() if key_end is not None and is_whole else key_start.end()
        yield Finding("secret", key_start.start(), at, 0.99)
