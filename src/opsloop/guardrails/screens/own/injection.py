"""Direct prompt injection and jailbreaks."""

from __future__ import annotations

from opsloop.guardrails.injection.search import KINDS, search
from opsloop.guardrails.screens.screen import Screen

SCREEN = Screen("injection", KINDS, search)
