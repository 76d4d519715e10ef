"""Webhooks that repairs may call."""
