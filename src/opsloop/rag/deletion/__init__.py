"""Deletion that deletes, asked for or due."""
