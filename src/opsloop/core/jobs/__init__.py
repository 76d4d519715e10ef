"""Durable jobs and schedules: work that outlives a request and goes on after a crash."""
