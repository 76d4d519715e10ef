"""Diagnosis of a failed log: what broke, why, what to do, with the lines that show it."""
