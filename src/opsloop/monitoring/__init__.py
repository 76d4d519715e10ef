"""Watching what is served: request records, traffic, metrics, and the spool that keeps records through a crash."""
