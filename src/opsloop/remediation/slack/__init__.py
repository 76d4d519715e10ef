"""Yes and no from Slack: a message with buttons, and what comes back when one is pressed."""
