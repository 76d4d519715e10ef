"""Two runs on the same rows, compared: metrics, slices, and the rows that changed."""
