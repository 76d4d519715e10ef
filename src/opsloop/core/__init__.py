"""What every slice stands on: settings, errors, state, artifacts, jobs, events, audit, identity, telemetry, time."""
