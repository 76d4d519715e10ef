"""Preparations: read, clean, split and register rows, as declared in `opsloop.yaml`; on demand and on a schedule."""
