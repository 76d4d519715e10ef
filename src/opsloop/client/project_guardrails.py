"""Guardrails of an endpoint, as `opsloop.yaml` declares them.

endpoints:
  support-chat:
    flow: flows/answer
    guardrails:
      requests: {payment_card: block}
      answers: {pii: redact, email: flag}
      allow: ["*@acme.example"]
"""

from __future__ import annotations

from typing import Any


def checked(declared: object) -> dict[str, Any]:
    """The whole policy that is declared. Raises: InvalidInput naming the key."""
    from opsloop.guardrails import policy  # brings the detectors: few projects declare any

    return policy.parse(declared).declared()
