"""Pipelines that train models, their runs and schedules."""
