"""What users' Python imports of the package promptflow-evals."""
