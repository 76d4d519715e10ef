"""The OpenTelemetry protocol over HTTP: what other services send here."""
