"""Runs of CI systems, by their APIs."""
