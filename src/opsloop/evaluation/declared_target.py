"""What an experiment evaluates where that is no flow of its own.

target: model:iris@3                     # a version of a trained model; also iris@champion, iris
target: endpoint:support-chat            # an endpoint of this platform, whatever release answers there
target: function:rules:answer            # a function of rules.py beside the experiment
target:                                  # any service over HTTP
  url: https://chat.example/v1
  speaks: openai                         # or invoke: `{"inputs": {…}}` in, `{"outputs": {…}}` or an object out
  model: support-chat
  api_key: ${CHAT_KEY}                   # from the environment where the evaluation runs
  outputs: [answer]
target: {model: iris@3, coverage: 0.8}   # a trained model whose intervals are to cover so many truths; default: 0.9
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from opsloop.core.declared import Declared
from opsloop.evaluation.declared import declared
from opsloop.evaluation.declared_connections import from_environment
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.models import Speaks, Target

_KEYS = ("endpoint", "function", "url", "speaks", "model", "api_key", "outputs", "timeout_s")
_MODEL = ("model", "coverage")
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_FORMS = (
    "model:NAME@V, endpoint:NAME, function:MODULE:NAME, an http(s) address, or a mapping with one of endpoint, "
    "function and url, or with model alone"
)
TIMEOUT_S = 120.0


def parse(values: object, path: str) -> Target:
    """Raises: ExperimentInvalid."""
    mapping = _as_mapping(values, path)
    if "model" in mapping and mapping.keys() <= set(_MODEL):
        return _model(declared(mapping, path, _MODEL))
    found = declared(mapping, path, _KEYS)
    kinds = [key for key in ("endpoint", "function", "url") if key in found.values]
    if len(kinds) != 1:
        raise ExperimentInvalid(path, _FORMS, value=values)
    function = found.optional_text("function")
    if function is not None and not _FUNCTION.fullmatch(function):
        raise found.wrong("function", "MODULE:NAME")
    url = found.optional_text("url")
    if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        raise found.wrong("url", "an address such as https://chat.example/v1")
    key = found.optional_text("api_key")
    if key is not None and from_environment(key) is None:
        # Without the value: it may be a secret.
        raise ExperimentInvalid(f"{path}.api_key", "${NAME} of an environment variable; a key here would be kept")
    speaks = found.text("speaks", Speaks.INVOKE.value)
    if speaks not in list(Speaks):
        raise found.wrong("speaks", f"one of {', '.join(Speaks)}", known=[each.value for each in Speaks])
    if speaks == Speaks.OPENAI and "model" not in found.values:
        raise found.wrong("model", "the name of a model, as the service calls it")
    outputs = found.listing("outputs")
    if not all(isinstance(each, str) and each.isidentifier() for each in outputs):
        raise found.wrong("outputs", "a list of names")
    timeout_s = found.number("timeout_s")
    return Target(
        endpoint=found.optional_text("endpoint"),
        function=function,
        url=url,
        speaks=Speaks(speaks),
        model=found.optional_text("model"),
        key_variable=from_environment(key) if key is not None else None,
        outputs=tuple(outputs),
        timeout_s=TIMEOUT_S if timeout_s is None else timeout_s,
    )


def _model(found: Declared) -> Target:
    coverage = found.number("coverage")
    if coverage is not None and not 0.0 < coverage < 1.0:
        raise found.wrong("coverage", "a share above 0 and below 1, such as 0.9")
    return Target(version=found.text("model"), coverage=coverage)


def _as_mapping(values: object, path: str) -> Mapping[str, object]:
    if isinstance(values, Mapping):
        return values
    if isinstance(values, str):
        kind, _, rest = values.strip().partition(":")
        if kind in ("model", "endpoint", "function") and rest:
            return {kind: rest}
        if kind in ("http", "https"):
            return {"url": values.strip()}
    raise ExperimentInvalid(path, _FORMS, value=values)
