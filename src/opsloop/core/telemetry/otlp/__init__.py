"""What leaves this process by OTLP over HTTP: spans, log lines and metrics, all in one way."""
