"""Experiments: two releases side by side, what they were compared by, and the report of it."""
