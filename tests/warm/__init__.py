"""Commands of `opsloop` in processes that have imported it already.

A process imports for seconds what most commands need for moments, and tests run hundreds of them. `server` imports the
command line and the platform once and forks for each command. `client`, a script, stands in for the console script: it
hands over its words, folder, environment and streams, passes signals on and ends as the command did. How `opsloop`
starts by itself is seen by `tests/acceptance/cli` and by whatever runs `opsloop up`.
"""
