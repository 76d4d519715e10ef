"""Channels as they are declared: where alerts are told, and which.

alerts:
  channels:
    oncall: {webhook: "${env:ONCALL_HOOK}", secret: "${env:ONCALL_SECRET}", severities: [page]}
    team: {slack: "${env:SLACK_HOOK}"}
    night: {mail: oncall@example.com, endpoints: [support-*]}
    cluster: {alertmanager: "http://alertmanager:9093"}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from opsloop.core.errors import InvalidInput
from opsloop.core.notices import address
from opsloop.monitoring.alerts.models import SEVERITIES, Alert

Form = Literal["webhook", "slack", "mail", "alertmanager"]
FORMS: tuple[Form, ...] = get_args(Form)
_KEYS = (*FORMS, "secret", "severities", "rules", "endpoints")
ALERTMANAGER_PATH = "/api/v2/alerts"


@dataclass(frozen=True, slots=True)
class Channel:
    """Where alerts are told.

    Args:
        url: as `core.notices` takes it; may be `${env:NAME}`.
        severities, rules, endpoints: what is told there; empty: all. `*` stands for anything.
    """

    name: str
    form: Form
    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    severities: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()

    @property
    def to(self) -> str:
        return address.shown(self.url)

    def takes(self, alert: Alert) -> bool:
        return self.takes_such(rule=alert.rule, severity=alert.severity, endpoint=alert.endpoint)

    def takes_such(self, *, rule: str, severity: str, endpoint: str) -> bool:
        """Whether it takes alerts of such a kind."""
        pairs = ((self.severities, severity), (self.rules, rule), (self.endpoints, endpoint))
        return all(not wanted or any(fnmatchcase(is_, each) for each in wanted) for wanted, is_ in pairs)


def parse(name: str, declared: object, path: str | None = None) -> Channel:
    """Raises: InvalidInput naming the key; it does not repeat an address."""
    at = path or f"channels.{name}"
    if not isinstance(declared, Mapping):
        raise InvalidInput(f"{at}: wanted a mapping with one of {', '.join(FORMS)}", field=at)
    for key in declared:
        if key not in _KEYS:
            raise InvalidInput(f"{at}.{key} is not known; wanted one of {', '.join(_KEYS)}", field=f"{at}.{key}")
    forms = [form for form in FORMS if form in declared]
    if len(forms) != 1:
        raise InvalidInput(f"{at}: wanted exactly one of {', '.join(FORMS)}", field=at)
    form = forms[0]
    secret = declared.get("secret")
    if secret is not None and (form != "webhook" or not isinstance(secret, str) or not secret):
        raise InvalidInput(f"{at}.secret: wanted a text, of a webhook alone", field=f"{at}.secret")
    return Channel(
        name,
        form,
        _url(f"{at}.{form}", form, declared[form]),
        secret,
        _texts(f"{at}.severities", declared.get("severities"), among=SEVERITIES),
        _texts(f"{at}.rules", declared.get("rules")),
        _texts(f"{at}.endpoints", declared.get("endpoints")),
    )


def _url(at: str, form: Form, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{at}: wanted a text", field=at)
    if form == "mail":
        url = value if address.is_reference(value) else f"mailto:{value.removeprefix('mailto:')}"
        if not address.is_reference(url) and not address.is_mail(url):
            raise InvalidInput(f"{at}: wanted an e-mail address such as oncall@example.com", field=at)
        return url
    address.check(value, field=at)
    if form == "alertmanager":
        if address.is_reference(value):
            return value
        base = value.rstrip("/")
        return base if base.endswith(ALERTMANAGER_PATH) else f"{base}{ALERTMANAGER_PATH}"
    return value


def _texts(at: str, value: Any, *, among: tuple[str, ...] = ()) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidInput(field=at, value=value, wanted="a list of texts")
    for each in value:
        if among and each not in among:
            raise InvalidInput(field=at, value=each, wanted=f"of {', '.join(among)}")
    return tuple(value)


def digest_of(declared: Mapping[str, Any]) -> str:
    """By which a declaration is known without being shown: addresses may be secrets."""
    return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()
