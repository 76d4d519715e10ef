"""Make a better next version of what people say: rated answers, golden rows, weekly reports, themes, tuning data."""
