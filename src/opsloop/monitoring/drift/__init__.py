"""Drift of what a model is sent and says, with a known rate of false alarms."""
