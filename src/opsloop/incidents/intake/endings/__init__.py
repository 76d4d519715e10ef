"""What ends signals that nobody says the end of: one file for each way."""
