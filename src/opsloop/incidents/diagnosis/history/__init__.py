"""What was diagnosed before: what it turned out to be, and whether the same step passes and fails in turn."""
