"""Parts of Prompt flow that scripts import though they are private."""
