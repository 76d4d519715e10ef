"""What can be done about incidents; one file per playbook, found by name."""
