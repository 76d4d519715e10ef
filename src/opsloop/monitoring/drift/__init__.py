"""Drift of what a model is sent and says, with a known rate of false alarms.

The mathematics is pure: `options` says how to watch, `reference.fit` compiles training rows once, `detector.Detector`
reads every request, `explanation` says what an alarm saw. `watch` and its neighbours keep and report what it finds.
The method and its sources are on the page `docs/why/drift.md`.
"""
