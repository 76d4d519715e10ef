"""What the platform says of itself: log lines and traces."""
