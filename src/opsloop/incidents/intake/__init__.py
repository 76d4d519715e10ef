"""Signals of others and of ours, one file per source: how it proves who it is, and which signals it tells."""
