"""What of a tree of Prompt flow's flows runs here, told without running any of it."""
