"""Scores of answers in production: of a share of what endpoints keep, by the evaluators that evaluations use."""
