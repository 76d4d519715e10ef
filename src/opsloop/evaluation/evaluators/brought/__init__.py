"""Evaluators that users bring: a function of theirs, an installed package's, an object with the same call."""
