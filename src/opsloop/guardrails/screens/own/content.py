"""Hate, harassment, violence, self-harm, sexual content, requests for crimes, profanity."""

from __future__ import annotations

from opsloop.guardrails.content.search import KINDS, search
from opsloop.guardrails.screens.screen import Screen

SCREEN = Screen("content", KINDS, search)
