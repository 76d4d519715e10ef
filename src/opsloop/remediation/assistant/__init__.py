"""Level 1 for operators: questions are answered from what is stored, with citations; it never acts."""
