"""Endpoints, releases, rollouts and the analysis that stops a bad one."""
