"""Kinds of expectations, one file each."""
