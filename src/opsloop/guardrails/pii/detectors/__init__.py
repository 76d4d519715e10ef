"""Detectors of personal data and secrets, one file each.

Patterns begin with a class of characters and look back over it, `[0-9](?<![0-9].)`, where `(?<![0-9])[0-9]` would say
the same: the engine skips what cannot begin a match several times faster.
"""
