"""`opsloop migrate`: what somebody needs who comes from Prompt flow."""
