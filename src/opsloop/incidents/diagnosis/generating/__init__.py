"""A model words a diagnosis from what the rules found; what it cannot prove with lines of the log is left out."""
