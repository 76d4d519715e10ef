"""Guardrails: what must not pass, found in texts before they go where they should not."""
