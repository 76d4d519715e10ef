"""What flows import from Prompt flow, for installations without it. Written from its public behaviour."""
