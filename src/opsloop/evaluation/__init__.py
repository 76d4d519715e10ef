"""Evaluations: what a target was asked, what was measured, and the gate that judges it."""
