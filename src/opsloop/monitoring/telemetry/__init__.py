"""Traces, log records and metric points: of this platform and of services that send theirs."""
