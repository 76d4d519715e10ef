"""Dashboards: the same panels for Grafana, from Prometheus, and for the console, from our own store."""
