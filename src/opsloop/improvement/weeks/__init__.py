"""What people said in a week, laid together once and kept as it was."""
