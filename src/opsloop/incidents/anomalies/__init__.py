"""Anomalies in metrics: a standing watch over the points that the platform stores."""
