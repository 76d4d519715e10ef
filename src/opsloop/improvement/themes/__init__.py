"""What people complain about, in groups that are found by themselves and keep their names from week to week."""
