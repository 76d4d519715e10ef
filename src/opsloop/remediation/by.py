"""Who acts when no person does."""

from __future__ import annotations

from opsloop.core.caller import system

BY = system("remediation")
