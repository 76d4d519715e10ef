"""Rows of golden datasets made of answers that people did not like, and what they should have been."""
