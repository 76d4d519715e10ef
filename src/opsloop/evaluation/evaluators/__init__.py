"""Evaluators, one file each: what a row's output is worth."""
