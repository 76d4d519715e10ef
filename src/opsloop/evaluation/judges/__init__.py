"""Judges are evaluated themselves: versions of them, and how far they agree with people."""
