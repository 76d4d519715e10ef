"""Parts of Prompt flow that flows import though they are private."""
