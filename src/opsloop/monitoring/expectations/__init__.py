"""Expectations of a model's inputs, compiled once and checked on the rows of every request."""
