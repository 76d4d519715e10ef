"""Which environment an endpoint is of. Autonomy in production is earned outside of it first.

endpoints:
  support-chat-staging:
    flow: flows/answer
    environment: staging
"""

from __future__ import annotations

from typing import Any, get_args

from opsloop.core.errors import InvalidInput
from opsloop.releases.models import Environment

NAMES: tuple[Environment, ...] = get_args(Environment)
PRODUCTION: Environment = "production"


def parse(given: Any, at: str = "environment") -> Environment | None:
    """As it is declared; None for whatever the platform is. Raises: InvalidInput."""
    for each in NAMES:
        if given == each:
            return each
    if given is None:
        return None
    raise InvalidInput(field=at, value=given, wanted=f"one of {', '.join(NAMES)}, or null for the platform's own")


def is_production(name: str) -> bool:
    """Whether it is held as production: whatever is not known to be something else is."""
    return name == PRODUCTION or name not in NAMES
