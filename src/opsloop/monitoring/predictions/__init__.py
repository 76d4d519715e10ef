"""What models predicted: the rows of requests, kept for labels, segments and training."""
