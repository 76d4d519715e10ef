"""What every HTTP router needs: the caller, a unit of work, problem documents, the body limit."""
