"""Alerts: rules as data, what holds now, who is told, and who deals with it."""
