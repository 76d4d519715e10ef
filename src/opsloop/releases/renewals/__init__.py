"""From drift, a schedule or a wish to a better model: training, trial, gate, rollout, and how it ended."""
