"""What a repair does to things; one file per kind of action, found by name."""
