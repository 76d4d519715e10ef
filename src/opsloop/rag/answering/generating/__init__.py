"""Answers written by a model from passages, of which only what the passages prove is given out."""
