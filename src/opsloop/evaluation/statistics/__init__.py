"""The statistics of a gate: intervals, paired comparisons, non-inferiority and the number of rows that would decide.

These modules need numpy, which comes with the extra `evaluation`; import them where they are used. The nouns they
answer with are in `opsloop.evaluation.verdicts`.
"""
