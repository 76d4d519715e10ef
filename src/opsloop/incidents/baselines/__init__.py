"""What healthy runs of a job print, kept from run to run."""
