"""Publishing: dataset versions as tables and files that other programs read."""
