"""Repairs of incidents: playbooks, five levels of autonomy that are earned, approvals, execution, check and undo."""
