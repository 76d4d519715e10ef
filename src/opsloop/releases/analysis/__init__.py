"""The statistics of a rollout: is the candidate worse than stable, and is there enough evidence to step up?

Plain Python without numpy: these run in the control plane after every batch of requests. `adverse` and `scores` are
e-processes that may be looked at after every request; `evidence` weighs them together; `excess` and `stepping` decide
whether a step of a canary has shown enough.
"""
