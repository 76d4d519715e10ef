"""A model as a judge: what it is told, how its answer is read, and the evaluator that asks it."""
