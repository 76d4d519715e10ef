"""What a pipeline asks for: an evaluation with its verdict and reports, and one comment that says so."""
