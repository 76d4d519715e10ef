"""What closed incidents teach: causes of the next ones, and which detectors cried wolf."""
