"""Engines that find windows for a question. Truth stays in the state database; what is here can be rebuilt from it."""
